using static TorchSharp.torch;

namespace MLExtensions.Families.SequenceToSequence;

/// <summary>Fills the tensors of a batch of sources and targets.</summary>
/// <param name="rows">The number of pairs. Sources come in descending order of their lengths.</param>
/// <param name="sourceSteps">The length of the longest source.</param>
/// <param name="targetSteps">The length of the longest target; 0 if there are none.</param>
internal sealed class PairTensors(int rows, int sourceSteps, int targetSteps)
{
    private readonly long[] _source = new long[sourceSteps * rows];
    private readonly long[] _inputs = new long[targetSteps * rows];
    private readonly List<long> _places = [];
    private readonly List<long> _targets = [];
    private long[]? _copies;
    private int _lastCopy;

    /// <summary>The lengths of the sources.</summary>
    public int[] Lengths { get; } = new int[rows];

    /// <summary>The number of target tokens.</summary>
    public int TokenCount => _targets.Count;

    public void SetSource(int row, ReadOnlySpan<int> tokens, ReadOnlySpan<int> copies)
    {
        Lengths[row] = tokens.Length;
        for (var step = 0; step < tokens.Length; step++)
            _source[(step * rows) + row] = tokens[step];
        if (copies.IsEmpty)
            return;
        if (_copies == null)
        {
            _copies = new long[rows * sourceSteps];
            Array.Fill(_copies, -1);
        }
        for (var step = 0; step < copies.Length; step++)
        {
            _copies[(row * sourceSteps) + step] = copies[step];
            _lastCopy = Math.Max(_lastCopy, copies[step]);
        }
    }

    public void SetTarget(int row, ReadOnlySpan<int> tokens, int startToken, PairTokenizer tokenizer)
    {
        for (var step = 0; step < tokens.Length; step++)
        {
            _inputs[(step * rows) + row] = step == 0 ? startToken : tokenizer.InputOf(tokens[step - 1]);
            _places.Add(((long)row * targetSteps) + step);
            _targets.Add(tokens[step]);
        }
    }

    /// <summary>The number of words beyond a vocabulary that are in the row with most of them.</summary>
    public int ExtraWords(int vocabularySize) => Math.Max(0, _lastCopy + 1 - vocabularySize);

    /// <summary><c>[steps, rows]</c>.</summary>
    public Tensor Source(Device device) => tensor(_source, [sourceSteps, rows], ScalarType.Int64, device);

    /// <summary><c>[steps, rows]</c>.</summary>
    public Tensor Inputs(Device device) => tensor(_inputs, [targetSteps, rows], ScalarType.Int64, device);

    /// <summary>Row * steps + step of each target token.</summary>
    public Tensor Places(Device device) => tensor(_places.ToArray(), ScalarType.Int64, device);

    /// <summary>The target tokens.</summary>
    public Tensor Targets(Device device) => tensor(_targets.ToArray(), ScalarType.Int64, device);

    /// <summary><c>[rows, steps]</c>, -1 for padding; null if nothing is copied.</summary>
    public Tensor? Copies(Device device) => _copies == null ? null : tensor(_copies, [rows, sourceSteps], ScalarType.Int64, device);
}
