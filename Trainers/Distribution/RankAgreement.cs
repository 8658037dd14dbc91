using System.Text.Json;
using MLExtensions.Engine;

namespace MLExtensions.Distribution;

/// <summary>Finds before a training what ranks do not have in common.</summary>
internal static class RankAgreement
{
    // Gradients are shared, so that weights do not depend on them.
    private static readonly string[] MayDiffer = ["number of threads", "device of the "];

    /// <summary>Gives all ranks the initial weights of rank 0, and compares everything else that the result depends on.</summary>
    /// <param name="distributed">The processes.</param>
    /// <param name="step">The networks in training.</param>
    /// <param name="share">The part of each batch that the source of the batches gives.</param>
    /// <param name="fingerprint">What the result depends on, by name.</param>
    /// <exception cref="NotSupportedException">The source cannot divide its batches.</exception>
    /// <exception cref="DistributedException">A rank has other options, data or versions; the message names it.</exception>
    /// <returns>What rank 0 should say of how gradients are summed; null for nothing.</returns>
    public static string? Begin(Distributed distributed, TrainingStep step, Share share, Func<IReadOnlyDictionary<string, string>> fingerprint)
    {
        var group = distributed.Group!;
        if (share.Count != group.Size)
            throw new NotSupportedException($"{nameof(TrainingOptions.Distributed)} is set, but the batches of this training cannot be divided among ranks. Set it to null, and train on rank 0 alone.");
        var note = NcclSum.Choose(group, step.Networks[0].Device, NcclSum.Load);
        foreach (var network in step.Networks)
            network.TakeWeights(group);
        var own = new Dictionary<string, string>(fingerprint())
        {
            [$"{nameof(Distributed)}.{nameof(Distributed.SynchronizeBatchNormalization)}"] = distributed.SynchronizeBatchNormalization.ToString(),
            [$"{nameof(Distributed)}.{nameof(Distributed.GradientPrecision)}"] = distributed.GradientPrecision.ToString(),
            ["version of MLExtensions"] = typeof(RankAgreement).Assembly.GetName().Version!.ToString(),
            ["version of TorchSharp"] = typeof(TorchSharp.torch).Assembly.GetName().Version!.ToString(),
        };
        var all = group.Gather(JsonSerializer.SerializeToUtf8Bytes(own)).Select(json => JsonSerializer.Deserialize<Dictionary<string, string>>(json)!).ToArray();
        for (var rank = 1; rank < all.Length; rank++)
            Compare(all[0], all[rank], rank);
        return note;
    }

    private static void Compare(Dictionary<string, string> first, Dictionary<string, string> other, int rank)
    {
        foreach (var name in first.Keys.Union(other.Keys).Where(name => !MayDiffer.Any(name.StartsWith)))
        {
            if (first.GetValueOrDefault(name) is var was && other.GetValueOrDefault(name) is var value && was != value)
                throw new DistributedException(FormattableString.Invariant($"Rank {rank} trains something else: {name} is {Short(value)}, but {Short(was)} on rank 0. All ranks must have the same options, data and versions."));
        }
    }

    private static string Short(string? value) => value == null ? "unset" : value.Length <= 100 ? value : value[..100] + "...";
}
