using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// What the tokens of a vocabulary have in common, such as the ending of a word or the tone of a character. A token's vector is the sum of
/// its own and those of its features, so that what is learned of a feature holds for rare tokens, too.
/// </summary>
/// <remarks>Alexandrescu and Kirchhoff, "Factored neural language models" (2006).</remarks>
public sealed record TokenFeatures
{
    /// <summary>The names of the features, at least one.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>The features of each token of the vocabulary, as positions in <see cref="Names"/>.</summary>
    public required IReadOnlyList<IReadOnlyList<int>> OfTokens { get; init; }

    /// <inheritdoc/>
    public bool Equals(TokenFeatures? other) => other != null && Names.SequenceEqual(other.Names)
        && OfTokens.Count == other.OfTokens.Count && OfTokens.Zip(other.OfTokens).All(pair => pair.First.SequenceEqual(pair.Second));

    /// <inheritdoc/>
    public override int GetHashCode() => Names.Aggregate(OfTokens.Count, HashCode.Combine);

    /// <summary>Asks for the features of each token.</summary>
    internal static TokenFeatures Create(TextTokenizer tokenizer, Func<string, IEnumerable<string>> featuresOf)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        var names = new List<string>();
        var ofTokens = new int[tokenizer.VocabularySize][];
        for (var token = 0; token < ofTokens.Length; token++)
            ofTokens[token] = [.. (featuresOf(tokenizer.TokenOf(token)) ?? []).Distinct(StringComparer.Ordinal).Select(PlaceOf)];
        return new TokenFeatures { Names = names, OfTokens = ofTokens };

        int PlaceOf(string name)
        {
            if (!places.TryGetValue(name, out var place))
            {
                places.Add(name, place = names.Count);
                names.Add(name);
            }
            return place;
        }
    }

    /// <exception cref="FormatException">There are too many or too few tokens, or a token has a feature that does not exist.</exception>
    internal void Check(int vocabularySize)
    {
        if (Names == null || Names.Count == 0 || Names.Contains(null))
            throw new FormatException("tokenFeatures.names has no names, or a missing one.");
        if (OfTokens == null || OfTokens.Count != vocabularySize)
            throw new FormatException(FormattableString.Invariant($"tokenFeatures.ofTokens has {OfTokens?.Count ?? 0} tokens; the vocabulary has {vocabularySize}."));
        for (var token = 0; token < OfTokens.Count; token++)
        {
            foreach (var feature in OfTokens[token] ?? throw new FormatException(FormattableString.Invariant($"tokenFeatures.ofTokens[{token}] is null.")))
            {
                if ((uint)feature >= (uint)Names.Count)
                    throw new FormatException(FormattableString.Invariant($"tokenFeatures.ofTokens[{token}] has {feature}; it must be at least 0 and below {Names.Count}."));
            }
        }
    }
}

/// <summary>
/// The features of all tokens as a matrix of zeros and ones, made where it is used first. It is no weight, so it is no buffer of the module.
/// </summary>
internal sealed class FeatureMatrix(TokenFeatures features) : IDisposable
{
    private readonly Lock _gate = new();
    private Tensor? _matrix;

    /// <summary>The matrix, which is not to be disposed.</summary>
    public Tensor On(Device device, ScalarType type)
    {
        lock (_gate)
        {
            if (_matrix is { } known && known.device.ToString() == device.ToString() && known.dtype == type)
                return known;
            _matrix?.Dispose();
            var values = new float[features.OfTokens.Count * features.Names.Count];
            for (var token = 0; token < features.OfTokens.Count; token++)
            {
                foreach (var feature in features.OfTokens[token])
                    values[(token * features.Names.Count) + feature] = 1;
            }
            // Whoever asks first may not be a training, which later ones are.
            using var anyMode = TorchState.Enter();
            using var onHost = tensor(values, [features.OfTokens.Count, features.Names.Count], ScalarType.Float32, CPU);
            return _matrix = onHost.to(type, device, copy: true).DetachFromDisposeScope();
        }
    }

    public void Dispose() => _matrix?.Dispose();
}
