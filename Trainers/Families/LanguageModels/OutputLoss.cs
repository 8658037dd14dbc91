using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.LanguageModels;

/// <summary>
/// The cross entropy of the output layer with explicit gradients. With a vocabulary of ten thousand tokens most of the training time is
/// spent here, and automatic differentiation would read the logits several more times.
/// </summary>
/// <param name="network">The network. Gradients are added to those of its output weights.</param>
/// <param name="precision">The number format of the products.</param>
internal abstract class OutputLoss(IOutputLayer network, Precision precision) : IDisposable
{
    // The lower bound of probabilities before their logarithm is taken.
    private protected const double LeastProbability = 1e-37;

    private Tensor? _unread;

    private protected IOutputLayer Network => network;

    /// <summary>
    /// Whether the loss is read by <see cref="ReadLoss"/> when all else of a step has been asked for, so that the program does not wait for a GPU in between;
    /// <see cref="Backward"/> then returns 0 for it.
    /// </summary>
    public bool ReadsLossLast { get; init; }

    /// <summary>
    /// Returns the mean loss in nats and its gradient with respect to the hidden values. The gradients of the output layer
    /// are added to its own.
    /// </summary>
    /// <param name="hidden"><c>[tokens, width]</c>, without a graph.</param>
    /// <param name="targets"><c>[tokens]</c>, int64.</param>
    /// <param name="output">The weights of the output layer, and where their gradient is added.</param>
    /// <returns>The gradient is null if the loss is not finite; then no gradients were added.</returns>
    public abstract (double Loss, Tensor? HiddenGradient) Backward(Tensor hidden, Tensor targets, TrainedTable output);

    /// <summary>The loss of the last <see cref="Backward"/>, in the same dispose scope.</summary>
    /// <param name="loss">What it returned.</param>
    public double ReadLoss(double loss) => ReadsLossLast ? -_unread!.item<float>() : loss;

    public virtual void BeginEpoch(int epoch)
    {
    }

    public virtual void Dispose()
    {
    }

    private protected Tensor ForProduct(Tensor value) => precision == Precision.BFloat16 ? value.to(ScalarType.BFloat16) : value;

    /// <summary>Turns probabilities into the gradient of the summed loss with respect to the logits, and returns the mean loss.</summary>
    /// <param name="probabilities"><c>[tokens, classes]</c>; overwritten.</param>
    /// <param name="places"><c>[tokens, 1]</c>: the target classes.</param>
    private protected double ToGradient(Tensor probabilities, Tensor places)
    {
        var right = probabilities.gather(1, places);
        _unread = LogOf(right).mean();
        var loss = ReadsLossLast ? 0 : -_unread.item<float>();
        probabilities.scatter_(1, places, right.sub_(Number.One));
        return loss;
    }

    private protected static Tensor LogOf(Tensor probabilities) => probabilities.clamp_min(Number.Of(LeastProbability)).log();

    /// <summary>Adds <c>factor * left^T right</c> to a gradient.</summary>
    private protected static void AddProduct(Tensor gradient, Tensor left, Tensor right, double factor)
    {
        if (gradient.dtype == left.dtype)
            gradient.addmm_(left.t(), right, 1, (float)factor);
        else
            gradient.add_(left.t().mm(right), Number.Of(factor));
    }
}

/// <summary>The loss over the whole vocabulary.</summary>
internal sealed class FullSoftmaxLoss(IOutputLayer network, Precision precision) : OutputLoss(network, precision)
{
    public override (double Loss, Tensor? HiddenGradient) Backward(Tensor hidden, Tensor targets, TrainedTable output)
    {
        var (gradient, weight, input) = Probabilities(hidden, output);
        var loss = ToGradient(gradient, targets.unsqueeze(1));
        return double.IsFinite(loss) ? (loss, AddGradients(gradient, weight, input, output, 1.0 / targets.shape[0]).to(hidden.dtype)) : (loss, null);
    }

    /// <summary>Computes the log probability of each target, for losses that are another function of it.</summary>
    /// <returns>
    /// The log probabilities <c>[tokens]</c>, and what takes the derivative of the loss with respect to each of them, <c>[tokens]</c>, adds the gradients of
    /// the output layer, and returns that of the hidden values. It can be called once.
    /// </returns>
    public (Tensor LogProbabilities, Func<Tensor, Tensor> Backward) Forward(Tensor hidden, Tensor targets, TrainedTable output)
    {
        var (gradient, weight, input) = Probabilities(hidden, output);
        var places = targets.unsqueeze(1);
        var right = gradient.gather(1, places);
        return (LogOf(right).squeeze(1), derivative =>
        {
            gradient.scatter_(1, places, right.sub(Number.One)).mul_(derivative.neg().unsqueeze(1));
            return AddGradients(gradient, weight, input, output, 1).to(hidden.dtype);
        });
    }

    private (Tensor Probabilities, Tensor Weight, Tensor Input) Probabilities(Tensor hidden, TrainedTable output)
    {
        var weight = ForProduct(output.Weight);
        var input = hidden.to(weight.dtype);
        using var logits = weight.dtype == ScalarType.Float32 ? addmm(Network.OutputBias.detach(), input, weight.t(), 1, 1) : input.mm(weight.t()).to(ScalarType.Float32).add_(Network.OutputBias.detach(), Number.One);
        return (logits.softmax(1), weight, input);
    }

    private Tensor AddGradients(Tensor gradient, Tensor weight, Tensor input, TrainedTable output, double factor)
    {
        var product = gradient.to(weight.dtype);
        // Frozen weights have no gradient. A product with ones takes a third of the time of a sum over rows, and W^T G^T is faster than G W.
        if (Network.OutputBias.grad is { } ofBias)
        {
            using var ones = torch.ones([1, gradient.shape[0]], gradient.dtype, gradient.device);
            ofBias.add_(ones.mm(gradient).view(-1), Number.Of(factor));
        }
        if (output.Gradient is { } ofWeight)
            AddProduct(ofWeight, product, input, factor);
        return weight.t().mm(product.t()).t().mul_(Number.Of(factor));
    }
}
