using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Distribution;

/// <summary>State that is another one on each rank, in the one checkpoint of all.</summary>
internal static class RankedState
{
    /// <summary>Returns the state of all ranks on rank 0; on the others, their own. Tensors are of the same shape on all ranks, and on the CPU.</summary>
    public static IReadOnlyList<(string Name, Tensor Value)> Gather(ProcessGroup? group, IReadOnlyList<(string Name, Tensor Value)> own)
    {
        if (group == null)
            return own;
        var all = own.ToList();
        for (var rank = 1; rank < group.Size; rank++)
        {
            foreach (var (name, value) in own)
            {
                var bytes = group.Broadcast(group.Rank == rank ? value.bytes.ToArray() : [], rank);
                if (group.Rank != 0)
                    continue;
                var copy = zeros_like(value);
                bytes.CopyTo(copy.bytes);
                all.Add((NameOf(name, rank), copy));
            }
        }
        return all;
    }

    /// <summary>Returns what a checkpoint of all ranks is loaded into: the own state, and memory for that of the others, which nobody needs.</summary>
    public static IReadOnlyList<(string Name, Tensor Value)> ToLoad(ProcessGroup? group, IReadOnlyList<(string Name, Tensor Value)> own) =>
        group == null ? own : Enumerable.Range(0, group.Size).SelectMany(rank => own.Select(entry => (NameOf(entry.Name, rank), rank == group.Rank ? entry.Value : zeros_like(entry.Value)))).ToArray();

    private static string NameOf(string name, int rank) => rank == 0 ? name : FormattableString.Invariant($"{name} of rank {rank}");
}
