using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace MLExtensions;

/// <summary>What a network loaded from a file of initial weights. Reports are immutable and compare by value.</summary>
public sealed record WeightReport
{
    /// <summary>The names of the loaded tensors.</summary>
    public required IReadOnlyList<string> Loaded
    {
        get;
        init => field = Copy(value);
    }

    /// <summary>
    /// The names of the network's tensors that are missing in the file; they were initialized randomly. Batch counters are not included.
    /// </summary>
    public required IReadOnlyList<string> Missing
    {
        get;
        init => field = Copy(value);
    }

    /// <summary>The names of the tensors in the file that the network does not have.</summary>
    public required IReadOnlyList<string> Unexpected
    {
        get;
        init => field = Copy(value);
    }

    /// <summary>
    /// The tensors that have another shape or type in the file, each with its name and both shapes; they were initialized randomly.
    /// </summary>
    public required IReadOnlyList<string> OtherShape
    {
        get;
        init => field = Copy(value);
    }

    /// <summary>Whether all weights of the network were loaded from the file.</summary>
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
        FormattableString.Invariant($"{Loaded.Count} tensors loaded, {Missing.Count} missing, {Unexpected.Count} unexpected, {OtherShape.Count} of another shape");

    private static ImmutableArray<string> Copy(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return [.. names];
    }
}
