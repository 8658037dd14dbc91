using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using MLExtensions.Engine;
using MLExtensions.Supervised;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// The settings of an optimizer: how a training step moves the weights against their gradient. The learning rate, its
/// schedule, weight decay and gradient clipping are options of their own, common to all optimizers.
/// </summary>
/// <remarks>Update formulas are those of <c>torch.optim</c>. Serialisable with System.Text.Json: <c>$type</c> names the
/// optimizer.</remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "$type")]
[JsonDerivedType(typeof(SgdOptimizer), "sgd")]
[JsonDerivedType(typeof(AdamOptimizer), "adam")]
[JsonDerivedType(typeof(AdamWOptimizer), "adamw")]
[JsonDerivedType(typeof(RmsPropOptimizer), "rmsprop")]
[JsonDerivedType(typeof(AdagradOptimizer), "adagrad")]
[JsonDerivedType(typeof(AdadeltaOptimizer), "adadelta")]
public abstract record Optimizer
{
    /// <summary>Smallest epsilon that survives in float32 wherever the formulas square or divide.</summary>
    private const double LeastEpsilon = 1e-30;

    private protected Optimizer()
    {
    }

    /// <summary>The decoupled weight decay used where the user has not set one.</summary>
    internal virtual double DefaultWeightDecay => 0;

    /// <summary>Throws <see cref="ArgumentOutOfRangeException"/> naming the first setting outside its range.</summary>
    internal abstract void Check();

    /// <summary>The optimizer itself, on parameters and gradients that are checked already.</summary>
    internal abstract FlatOptimizer Create(FlatLayout layout);

    private protected static void CheckFraction(double value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        OptionCheck.Fraction(value, $"{nameof(Optimizer)}.{name}");

    private protected static void CheckEpsilon(double value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        OptionCheck.Between(value, LeastEpsilon, 1, $"{nameof(Optimizer)}.{name}");
}
