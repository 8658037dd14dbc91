using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MLExtensions.Benchmarks;

/// <summary>What a TorchSharp user writes for PyTorch's MNIST example.</summary>
internal static class HandWrittenNetworks
{
    public static Module<Tensor, Tensor> MnistExample() => Sequential(
        ("unflatten", Unflatten(1, [1, 28, 28])),
        ("conv1", Conv2d(1, 32, 3)),
        ("relu1", ReLU()),
        ("conv2", Conv2d(32, 64, 3)),
        ("relu2", ReLU()),
        ("pool", MaxPool2d(2)),
        ("dropout1", Dropout(0.25)),
        ("flatten", Flatten()),
        ("fc1", Linear(9216, 128)),
        ("relu3", ReLU()),
        ("dropout2", Dropout(0.5)),
        ("fc2", Linear(128, 10)));
}

/// <summary>What a TorchSharp user writes for ResNet-20 with shortcuts of option A.</summary>
internal sealed class HandWrittenResNet20 : Module<Tensor, Tensor>
{
    private readonly Conv2d conv1 = Conv2d(3, 16, 3, padding: 1, bias: false);
    private readonly BatchNorm2d bn1 = BatchNorm2d(16);
    private readonly Sequential blocks;
    private readonly Linear linear = Linear(64, 10);

    public HandWrittenResNet20()
        : base(nameof(HandWrittenResNet20))
    {
        var list = new List<(string, Module<Tensor, Tensor>)>();
        var inputs = 16;
        foreach (var outputs in new[] { 16, 32, 64 })
        {
            for (var i = 0; i < 3; i++)
            {
                list.Add(($"block{list.Count}", new Block(inputs, outputs)));
                inputs = outputs;
            }
        }
        blocks = Sequential(list);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        x = functional.relu(bn1.call(conv1.call(x.view(-1, 3, 32, 32))));
        return linear.call(blocks.call(x).mean([2, 3]));
    }

    private sealed class Block : Module<Tensor, Tensor>
    {
        private readonly Conv2d conv1;
        private readonly BatchNorm2d bn1;
        private readonly Conv2d conv2;
        private readonly BatchNorm2d bn2;
        private readonly int _added;

        public Block(int inputs, int outputs)
            : base(nameof(Block))
        {
            _added = outputs - inputs;
            conv1 = Conv2d(inputs, outputs, 3, stride: _added > 0 ? 2 : 1, padding: 1, bias: false);
            bn1 = BatchNorm2d(outputs);
            conv2 = Conv2d(outputs, outputs, 3, padding: 1, bias: false);
            bn2 = BatchNorm2d(outputs);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            var residual = bn2.call(conv2.call(functional.relu(bn1.call(conv1.call(x)))));
            var shortcut = _added == 0
                ? x
                : functional.pad(x.slice(2, 0, 32, 2).slice(3, 0, 32, 2), [0, 0, 0, 0, _added / 2, _added / 2]);
            return functional.relu(residual + shortcut);
        }
    }
}
