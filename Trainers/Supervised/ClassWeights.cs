using System.Globalization;
using MLExtensions.Engine;
using MLExtensions.Supervised;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>How much the examples of each class count in the loss.</summary>
public sealed record ClassWeights
{
    private readonly IReadOnlyList<double>? _given;
    private readonly bool _balanced;

    private ClassWeights(bool balanced, IReadOnlyList<double>? given)
    {
        _balanced = balanced;
        _given = given;
    }

    /// <summary>Every example counts the same.</summary>
    public static ClassWeights None { get; } = new(false, null);

    /// <summary>Every class counts the same: rows / (classes * rows of the class).</summary>
    public static ClassWeights Balanced { get; } = new(true, null);

    /// <summary>Weights by class: in the key's order for multiclass, negative then positive for binary classification.</summary>
    /// <param name="weights">One positive weight a class.</param>
    public static ClassWeights Given(params double[] weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        for (var i = 0; i < weights.Length; i++)
            OptionCheck.Positive(weights[i], $"ClassWeights[{i}]");
        return new ClassWeights(false, weights.ToArray());
    }

    /// <inheritdoc/>
    public override string ToString() => _balanced ? "Balanced"
        : _given == null ? "None"
        : string.Join(", ", _given.Select(weight => weight.ToString("R", CultureInfo.InvariantCulture)));

    /// <summary>The weight of each class, or null when all are 1.</summary>
    internal double[]? Resolve(IReadOnlyList<long> classCounts)
    {
        if (_given != null)
        {
            if (_given.Count != classCounts.Count)
                throw new ArgumentException($"ClassWeights has {_given.Count} weights; the label has {classCounts.Count} classes.");
            return _given.ToArray();
        }
        if (!_balanced)
            return null;
        var rows = classCounts.Sum();
        var present = classCounts.Count(count => count > 0);
        return classCounts.Select(count => count == 0 ? 1.0 : (double)rows / (present * count)).ToArray();
    }
}
