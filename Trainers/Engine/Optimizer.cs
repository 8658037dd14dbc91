using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using MLExtensions.Engine;
using MLExtensions.Messages;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// The settings of an optimizer, which updates the weights from their gradients. The learning rate, its schedule, weight decay and gradient
/// clipping are separate options that all optimizers share.
/// </summary>
/// <remarks>
/// The update formulas are those of <c>torch.optim</c>. Serializable with System.Text.Json: <c>$type</c> names the optimizer.
/// </remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "$type")]
[JsonDerivedType(typeof(SgdOptimizer), "sgd")]
[JsonDerivedType(typeof(AdamOptimizer), "adam")]
[JsonDerivedType(typeof(AdamWOptimizer), "adamw")]
[JsonDerivedType(typeof(RmsPropOptimizer), "rmsprop")]
[JsonDerivedType(typeof(AdagradOptimizer), "adagrad")]
[JsonDerivedType(typeof(AdadeltaOptimizer), "adadelta")]
[JsonDerivedType(typeof(LbfgsOptimizer), "lbfgs")]
public abstract record Optimizer
{
    /// <summary>The smallest epsilon that does not vanish in float32 when the formulas square or divide.</summary>
    private const double LeastEpsilon = 1e-30;

    private protected Optimizer()
    {
    }

    /// <summary>The decoupled weight decay if the user has not set one.</summary>
    internal virtual double DefaultWeightDecay => 0;

    /// <summary>The numbers that it keeps for each weight.</summary>
    internal abstract int StatesPerWeight { get; }

    /// <summary>Throws <see cref="ArgumentOutOfRangeException"/> for the first setting that is out of range.</summary>
    internal abstract void Check();

    /// <summary>Creates the optimizer for parameters and gradients that are already checked.</summary>
    internal abstract FlatOptimizer Create(FlatLayout layout);

    private protected static void CheckFraction(double value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        OptionCheck.Fraction(value, $"{nameof(Optimizer)}.{name}");

    private protected static void CheckEpsilon(double value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        OptionCheck.Between(value, LeastEpsilon, 1, $"{nameof(Optimizer)}.{name}");

    /// <summary>Returns the values as text.</summary>
    public sealed override string ToString() => RecordText.Of(GetType().Name, PrintMembers);
}
