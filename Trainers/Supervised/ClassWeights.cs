using System.Globalization;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>The weights of the classes in the loss.</summary>
public sealed record ClassWeights
{
    private readonly IReadOnlyList<double>? _given;
    private readonly bool _balanced;

    private ClassWeights(bool balanced, IReadOnlyList<double>? given)
    {
        _balanced = balanced;
        _given = given;
    }

    /// <summary>Every example has the same weight.</summary>
    public static ClassWeights None { get; } = new(false, null);

    /// <summary>Every class has the same total weight: the weight of an example is rows / (classes * rows of its class).</summary>
    public static ClassWeights Balanced { get; } = new(true, null);

    /// <summary>Given weights: in key order for multiclass classification, negative then positive for binary classification.</summary>
    /// <param name="weights">One positive weight per class.</param>
    public static ClassWeights Given(params double[] weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        for (var i = 0; i < weights.Length; i++)
            OptionCheck.Positive(weights[i], FormattableString.Invariant($"ClassWeights[{i}]"));
        return new ClassWeights(false, weights.ToArray());
    }

    /// <inheritdoc/>
    public override string ToString() => _balanced ? "Balanced"
        : _given == null ? "None"
        : string.Join(", ", _given.Select(weight => weight.ToString("R", CultureInfo.InvariantCulture)));

    /// <summary>The weight of each class, or null if all are 1.</summary>
    internal double[]? Resolve(IReadOnlyList<long> classCounts)
    {
        if (_given != null)
        {
            if (_given.Count != classCounts.Count)
                throw new ArgumentException(FormattableString.Invariant($"ClassWeights has {_given.Count} weights; the label has {classCounts.Count} classes."));
            return _given.ToArray();
        }
        if (!_balanced)
            return null;
        var rows = classCounts.Sum();
        var present = classCounts.Count(count => count > 0);
        return classCounts.Select(count => count == 0 ? 1.0 : (double)rows / (present * count)).ToArray();
    }
}
