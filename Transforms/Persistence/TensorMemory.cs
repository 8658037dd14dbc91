using static TorchSharp.torch;

namespace MLExtensions.Persistence;

/// <summary>The raw bytes of a contiguous CPU tensor of any size, a piece at a time (a span ends at 2 GB).</summary>
internal static class TensorMemory
{
    private const int PieceBytes = 16 * 1024 * 1024;

    public delegate void PieceAction(Span<byte> piece);

    /// <summary>Hands the elements from <paramref name="first"/> on to <paramref name="action"/>, in order.</summary>
    /// <param name="count">Elements; by default all from <paramref name="first"/> on.</param>
    public static void ForEachPiece(Tensor tensor, PieceAction action, long first = 0, long? count = null)
    {
        using var flat = tensor.view(-1);
        var end = first + (count ?? flat.shape[0] - first);
        var step = PieceBytes / SafeTensorsTypes.SizeOf(tensor.dtype);
        for (var at = first; at < end; at += step)
        {
            using var piece = flat.narrow(0, at, Math.Min(step, end - at));
            action(piece.bytes);
        }
    }
}
