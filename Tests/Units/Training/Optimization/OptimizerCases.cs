using MLExtensions.Engine;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Training;

/// <summary>An optimizer of ours beside torch's own with the same settings.</summary>
/// <param name="Reference">Makes torch's, given the parameters and the weight decay (of the kind that it has).</param>
/// <param name="Decoupled">Whether torch's weight decay is decoupled.</param>
internal sealed record OptimizerCase(
    Optimizer Settings,
    double LearningRate,
    Func<Parameter[], double, optim.Optimizer> Reference,
    bool Decoupled = false)
{
    public Regularization Regularization(double strength) => Decoupled ? new(0, 0, strength) : new(0, strength, 0);
}

internal static class OptimizerCases
{
    public static readonly IReadOnlyDictionary<string, OptimizerCase> ByName = new Dictionary<string, OptimizerCase>
    {
        ["sgd"] = new(new SgdOptimizer(), 0.1, (p, decay) => optim.SGD(p, 0.1, weight_decay: decay)),
        ["sgd momentum"] = new(
            new SgdOptimizer { Momentum = 0.9 }, 0.1, (p, decay) => optim.SGD(p, 0.1, momentum: 0.9, weight_decay: decay)),
        ["sgd nesterov"] = new(
            new SgdOptimizer { Momentum = 0.8, Nesterov = true },
            0.1,
            (p, decay) => optim.SGD(p, 0.1, momentum: 0.8, weight_decay: decay, nesterov: true)),
        ["adam"] = new(new AdamOptimizer(), 0.01, (p, decay) => optim.Adam(p, 0.01, weight_decay: decay)),
        ["adam other betas"] = new(
            new AdamOptimizer { Beta1 = 0.5, Beta2 = 0.9, Epsilon = 1e-3 },
            0.01,
            (p, decay) => optim.Adam(p, 0.01, 0.5, 0.9, 1e-3, decay)),
        ["adamw"] = new(
            new AdamWOptimizer(), 0.01, (p, decay) => optim.AdamW(p, 0.01, weight_decay: decay), Decoupled: true),
        ["rmsprop"] = new(
            new RmsPropOptimizer(), 0.01, (p, decay) => optim.RMSProp(p, 0.01, weight_decay: decay)),
        ["rmsprop momentum"] = new(
            new RmsPropOptimizer { Decay = 0.9, Epsilon = 1e-4, Momentum = 0.7 },
            0.01,
            (p, decay) => optim.RMSProp(p, 0.01, 0.9, 1e-4, decay, 0.7)),
        ["adagrad"] = new(new AdagradOptimizer(), 0.05, (p, decay) => optim.Adagrad(p, 0.05, weight_decay: decay)),
        ["adagrad accumulated"] = new(
            new AdagradOptimizer { InitialAccumulator = 0.1, Epsilon = 1e-3 },
            0.05,
            (p, decay) => optim.Adagrad(p, 0.05, 0, decay, 0.1, 1e-3)),
        ["adadelta"] = new(new AdadeltaOptimizer(), 1, (p, decay) => optim.Adadelta(p, 1, weight_decay: decay)),
        ["adadelta other decay"] = new(
            new AdadeltaOptimizer { Decay = 0.7, Epsilon = 1e-3 }, 0.5, (p, decay) => optim.Adadelta(p, 0.5, 0.7, 1e-3, decay)),
    };

    public static IEnumerable<object[]> Names => ByName.Keys.Select(name => new object[] { name });
}
