using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using F = TorchSharp.torch.nn.functional;

namespace MLExtensions.Benchmarks;

/// <summary>
/// The loop that one would write with TorchSharp for the conditional GAN of <see cref="GanPresets.Convolutional"/> on 28 x 28 pixels: spectral
/// normalization by hand, and the same generated batch for both steps.
/// </summary>
internal sealed class HandWrittenGan : IDisposable
{
    private const int Latent = 64;
    private readonly GeneratorModule _generator = new();
    private readonly DiscriminatorModule _discriminator = new();
    private readonly TorchSharp.Modules.Adam _generatorOptimizer;
    private readonly TorchSharp.Modules.Adam _discriminatorOptimizer;
    private readonly (Tensor Target, Tensor Source)[] _average;
    private readonly GeneratorModule _averaged = new();

    public HandWrittenGan()
    {
        _generatorOptimizer = optim.Adam(_generator.parameters(), 5e-4, .5, .999);
        _discriminatorOptimizer = optim.Adam(_discriminator.parameters(), 5e-4, .5, .999);
        _average = _averaged.parameters().Zip(_generator.parameters(), (target, source) => ((Tensor)target, (Tensor)source))
            .Concat(_averaged.buffers().Zip(_generator.buffers())).Where(pair => pair.Item1.is_floating_point()).ToArray();
    }

    /// <summary>One epoch over images <c>[rows, 1, 28, 28]</c> from -1 to 1 with labels.</summary>
    public void Train(Tensor images, Tensor labels, int batch)
    {
        using var order = randperm(images.shape[0], dtype: ScalarType.Int64);
        for (long first = 0; first + batch <= images.shape[0]; first += batch)
        {
            using var scope = NewDisposeScope();
            var rows = order.narrow(0, first, batch);
            var (real, classes) = (images.index_select(0, rows), labels.index_select(0, rows));
            var generated = _generator.forward(randn(batch, Latent), classes);

            _discriminatorOptimizer.zero_grad();
            var judged = _discriminator.forward(cat([real, generated.detach()], 0), cat([classes, classes], 0));
            var loss = F.relu(1 - judged.narrow(0, 0, batch)).mean() + F.relu(1 + judged.narrow(0, batch, batch)).mean();
            loss.backward();
            _discriminatorOptimizer.step();

            _generatorOptimizer.zero_grad();
            var other = -_discriminator.forward(generated, classes).mean();
            other.backward();
            _generatorOptimizer.step();
            _ = loss.item<float>() + other.item<float>();
            using var noGradient = no_grad();
            foreach (var (target, source) in _average)
                target.lerp_(source, .005);
        }
    }

    /// <summary>Generates images in blocks, as many as there are labels.</summary>
    public void Generate(Tensor labels, int block, float[] destination)
    {
        _generator.eval();
        using var mode = inference_mode();
        for (long first = 0; first < labels.shape[0]; first += block)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(block, labels.shape[0] - first);
            var images = _generator.forward(randn(count, Latent), labels.narrow(0, first, count)).contiguous();
            images.data<float>().CopyTo(destination, (int)(first * 784));
        }
        _generator.train();
    }

    public void Dispose()
    {
        _generator.Dispose();
        _averaged.Dispose();
        _discriminator.Dispose();
        _generatorOptimizer.Dispose();
        _discriminatorOptimizer.Dispose();
    }

    private sealed class GeneratorModule : Module<Tensor, Tensor, Tensor>
    {
        private readonly Linear label = Linear(10, 32, hasBias: false);
        private readonly Linear dense = Linear(Latent + 32, 64 * 49, hasBias: false);
        private readonly BatchNorm2d norm1 = BatchNorm2d(64);
        private readonly ConvTranspose2d up1 = ConvTranspose2d(64, 32, 4, 2, 1, bias: false);
        private readonly BatchNorm2d norm2 = BatchNorm2d(32);
        private readonly ConvTranspose2d up2 = ConvTranspose2d(32, 1, 4, 2, 1);

        public GeneratorModule()
            : base(nameof(GeneratorModule)) => RegisterComponents();

        public override Tensor forward(Tensor noise, Tensor classes)
        {
            var hot = F.one_hot(classes, 10).to(ScalarType.Float32);
            var x = dense.forward(cat([noise, label.forward(hot)], 1)).view(-1, 64, 7, 7);
            x = F.relu(norm2.forward(up1.forward(F.relu(norm1.forward(x)))));
            return up2.forward(x).tanh();
        }
    }

    private sealed class DiscriminatorModule : Module<Tensor, Tensor, Tensor>
    {
        private readonly Parameter weight1 = new(randn(32, 1, 4, 4) * .1);
        private readonly Parameter weight2 = new(randn(64, 32, 4, 4) * .03);
        private readonly Parameter weight3 = new(randn(128, 64 * 49) * .02);
        private readonly Parameter bias1 = new(zeros(32));
        private readonly Parameter bias2 = new(zeros(64));
        private readonly Parameter bias3 = new(zeros(128));
        private readonly Linear output = Linear(128, 1);
        private readonly Embedding projection = Embedding(10, 128);
        private readonly Tensor[] _left = [F.normalize(randn(32), dim: 0), F.normalize(randn(64), dim: 0), F.normalize(randn(128), dim: 0)];

        public DiscriminatorModule()
            : base(nameof(DiscriminatorModule)) => RegisterComponents();

        public override Tensor forward(Tensor images, Tensor classes)
        {
            var x = F.leaky_relu(F.conv2d(images, Normalized(weight1, 0), bias1, [2, 2], [1, 1]), .2);
            x = F.leaky_relu(F.conv2d(x, Normalized(weight2, 1), bias2, [2, 2], [1, 1]), .2).flatten(1);
            x = F.leaky_relu(F.linear(x, Normalized(weight3, 2), bias3), .2);
            return output.forward(x).squeeze(1) + (projection.forward(classes) * x).sum(1);
        }

        private Tensor Normalized(Parameter weight, int place)
        {
            var matrix = weight.view(weight.shape[0], -1);
            Tensor right;
            using (no_grad())
            {
                right = F.normalize(matrix.t().mv(_left[place]), dim: 0);
                _left[place].copy_(F.normalize(matrix.mv(right), dim: 0));
            }
            return weight / _left[place].clone().dot(matrix.mv(right));
        }
    }
}
