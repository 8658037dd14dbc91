using Microsoft.ML;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Contract;

/// <summary>
/// A GAN whose samples are to be of the class of their row: the third that it names is to be the largest. The discriminator gets the label by
/// projection; with noise, it is joined to the sample.
/// </summary>
internal sealed class ConditionalGanSubject() : AdversarialSubject("ConditionalGan", 9)
{
    public override string[] InputColumns => [InputColumn, nameof(Example.Class)];

    public override bool TakesOneFeature => false;

    public override IEstimator<ITransformer> CreateEstimator(MLContext ml, DataTrainingOptions options) => ml.GenerativeModels.Trainers.Gan((GanEstimator.Options)options);

    public override void LearnDespiteNoise(DataTrainingOptions options) => options.Epochs = 15;

    /// <summary>The share of samples of the right class: a third, where the label is not looked at.</summary>
    public override double Quality(MLContext ml, IDataView scored) =>
        Outcome.Rows(scored, "Sample").Zip(scored.GetColumn<uint>(nameof(Example.Class)), (sample, key) =>
        {
            var means = sample.Chunk(FeatureCount / 3).Select(third => third.Average()).ToArray();
            return Array.IndexOf(means, means.Max()) == (int)key - 1 ? 1.0 : 0;
        }).Average();

    /// <summary>Real samples are recognized where their logit with their label is above 0.</summary>
    public override IEnumerable<(string Metric, double Value, double Tolerance)> Evaluate(MLContext ml, TrainedModel model, IDataView data)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var keys = data.GetColumn<uint>(nameof(Example.Class)).ToArray();
        var inputs = Outcome.Rows(data, InputColumn).Zip(keys, (row, key) => (float[])[.. row, .. Enumerable.Range(1, Example.ClassCount).Select(other => other == key ? 1f : 0)]).ToArray();
        var logits = model.Networks[1].Network.call(tensor(inputs.SelectMany(row => row).ToArray()).reshape(keys.Length, -1)).data<float>().ToArray();
        return [("realRecognized", logits.Average(logit => logit > 0 ? 1.0 : 0), 1.01e-3)];
    }

    /// <summary>Corrected labels alone are other data.</summary>
    public override (Example First, Example Second) Exchange(Example first, Example second)
    {
        var (a, b) = (first.Copy(), second.Copy());
        (a.Class, b.Class) = (b.Class, a.Class);
        return (a, b);
    }

    protected override void SetColumns(DataTrainingOptions options)
    {
        base.SetColumns(options);
        ((GanOptions)options).LabelColumnName = nameof(Example.Class);
    }

    protected override void AddNoise(DataTrainingOptions options)
    {
        base.AddNoise(options);
        options.LearningRate = 0.005;
    }

    protected override DataTrainingOptions CreateOptions()
    {
        var options = With(new GanEstimator.Options());
        (options.LearningRate, options.BatchSize) = (0.01, 20);
        // Rounding alone would decide about steps of weights whose gradients are nearly 0, and ranks round in another order.
        options.Optimizer = new AdamOptimizer { Beta1 = 0.5, Epsilon = 1e-4 };
        return options;
    }

    protected override GanNetworks Networks(int hidden, bool noisy) => noisy
        ? new()
        {
            LatentSize = FeatureCount,
            GeneratorLatent = [new ActivationLayer(Activation.Tanh)],
            GeneratorLabel = [new DenseLayer(4) { Bias = false }],
            Generator = [new DenseLayer(3 * hidden), new BatchNormalizationLayer(), new ActivationLayer(), new DenseLayer()],
            DiscriminatorSample = [new DenseLayer(3 * hidden)],
            DiscriminatorLabel = [new DenseLayer(4)],
            Discriminator = [new DropoutLayer(0.1), new MaxoutLayer(3 * hidden, 3), new DenseLayer()],
        }
        : new()
        {
            LatentSize = FeatureCount,
            GeneratorLabel = [new DenseLayer(4) { Bias = false }],
            Generator = [new DenseLayer(2 * hidden), new ActivationLayer(), new DenseLayer()],
            Discriminator = [new MaxoutLayer(2 * hidden, 3), new DenseLayer()],
            ProjectsLabel = true,
        };
}
