using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace MLExtensions;

/// <summary>What a network took from a file of weights that it started from, and what not. Reports are immutable and compare by value.</summary>
public sealed record WeightReport
{
    /// <summary>The names of the tensors that were taken.</summary>
    public required IReadOnlyList<string> Loaded
    {
        get;
        init => field = Copy(value);
    }

    /// <summary>The names of the network's tensors that the file lacks; they started anew. Counters of batches are not counted.</summary>
    public required IReadOnlyList<string> Missing
    {
        get;
        init => field = Copy(value);
    }

    /// <summary>The names of the file's tensors that the network has no place for.</summary>
    public required IReadOnlyList<string> Unexpected
    {
        get;
        init => field = Copy(value);
    }

    /// <summary>The tensors of another shape, or another kind of number, in the file, each with name and both shapes; they started anew.</summary>
    public required IReadOnlyList<string> OtherShape
    {
        get;
        init => field = Copy(value);
    }

    /// <summary>Whether all the network's weights came from the file.</summary>
    [JsonIgnore]
    public bool IsComplete => Missing.Count == 0 && OtherShape.Count == 0;

    /// <inheritdoc/>
    public bool Equals(WeightReport? other) =>
        other is not null
        && Loaded.SequenceEqual(other.Loaded)
        && Missing.SequenceEqual(other.Missing)
        && Unexpected.SequenceEqual(other.Unexpected)
        && OtherShape.SequenceEqual(other.OtherShape);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Loaded.Count, Missing.Count, Unexpected.Count, OtherShape.Count);

    /// <summary>A line for logs.</summary>
    public override string ToString() =>
        $"{Loaded.Count} tensors loaded, {Missing.Count} missing, {Unexpected.Count} unexpected, {OtherShape.Count} of another shape";

    private static ImmutableArray<string> Copy(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return [.. names];
    }
}
