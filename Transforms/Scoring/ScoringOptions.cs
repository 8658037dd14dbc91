using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>What computes a trained network.</summary>
public enum ScoringEngine
{
    /// <summary>
    /// ONNX Runtime where an application has its package (<c>Microsoft.ML.OnnxRuntime</c>) and the network can be written as a graph;
    /// otherwise libtorch.
    /// </summary>
    Automatic,

    /// <summary>libtorch, as in training.</summary>
    LibTorch,

    /// <summary>ONNX Runtime: fewer megabytes, and faster for most networks.</summary>
    OnnxRuntime,
}

/// <summary>How a model scores: set it with <see cref="NetworkExtensions.SetScoring"/>.</summary>
public sealed record ScoringOptions
{
    /// <summary>What computes the networks. Default <see cref="ScoringEngine.Automatic"/>.</summary>
    public ScoringEngine Engine { get; init; }

    /// <summary>
    /// The number of threads that compute a block of rows, at least 1. Default null: one for little work, all cores for much. ONNX Runtime keeps
    /// threads for each network.
    /// </summary>
    public int? ThreadCount { get; init; }

    /// <summary>
    /// Where ONNX Runtime computes: <c>cpu</c>, or <c>cuda</c> or <c>cuda:1</c> with the package <c>Microsoft.ML.OnnxRuntime.Gpu.Linux</c> or
    /// <c>.Windows</c> instead of <c>Microsoft.ML.OnnxRuntime</c>. Default null: <c>cpu</c>. libtorch scores on the CPU.
    /// </summary>
    public string? Device { get; init; }

    /// <summary>The number of a GPU; null for the CPU.</summary>
    internal int? Gpu => Device is null or "cpu" ? null : Device == "cuda" ? 0 : int.Parse(Device["cuda:".Length..], System.Globalization.CultureInfo.InvariantCulture);

    /// <exception cref="ArgumentException">A setting is out of range; the message names it.</exception>
    internal void Check()
    {
        const int MostThreads = 1024;
        if (!Enum.IsDefined(Engine))
            throw new ArgumentOutOfRangeException(nameof(Engine), Engine, $"{nameof(Engine)} is {Engine}; it must be one of {string.Join(", ", Enum.GetNames<ScoringEngine>())}.");
        if (ThreadCount is < 1 or > MostThreads)
            throw new ArgumentOutOfRangeException(nameof(ThreadCount), ThreadCount, FormattableString.Invariant($"{nameof(ThreadCount)} is {ThreadCount}; it must be from 1 to {MostThreads}."));
        var isGpu = Device == "cuda" || (Device?.StartsWith("cuda:", StringComparison.Ordinal) == true && int.TryParse(Device["cuda:".Length..], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out _));
        if (Device is not (null or "cpu") && !isGpu)
            throw new ArgumentException($"{nameof(Device)} is '{Device}'; it must be cpu, cuda, or cuda: and a number.", nameof(Device));
        if (isGpu && Engine == ScoringEngine.LibTorch)
            throw new ArgumentException($"{nameof(Device)} is '{Device}' and {nameof(Engine)} {Engine}; libtorch scores on the CPU. Leave one of them out.", nameof(Device));
    }

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(ScoringOptions), PrintMembers);
}
