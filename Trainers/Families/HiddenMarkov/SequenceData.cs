using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions.Families.HiddenMarkov;

/// <summary>The sequences of a training: in memory, or read again each time.</summary>
internal sealed class SequenceData
{
    private readonly Func<IEnumerable<ObservedSequence>> _read;

    private SequenceData(Func<IEnumerable<ObservedSequence>> read) => _read = read;

    /// <summary>What there is: set by <see cref="Open"/>, which has to look for it.</summary>
    public DataCounts Counts { get; private set; } = new();

    public int NumberOfSequences { get; private set; }

    public long NumberOfObservations { get; private set; }

    /// <summary>Observations that are not missing.</summary>
    public long NumberOfKnown { get; private set; }

    /// <summary>The length of the last sequence.</summary>
    public int LastLength { get; private set; }

    public IEnumerable<ObservedSequence> Read() => _read();

    /// <summary>Opens data, and goes through it once.</summary>
    /// <param name="input">The data; its columns were checked.</param>
    /// <param name="columns">The columns.</param>
    /// <param name="format">What observations are. The symbols of text are added if <paramref name="learns"/>.</param>
    /// <param name="learns">Whether new symbols are learned; else they are unknown.</param>
    /// <param name="states">The states that labels stand for; null to take them by number.</param>
    /// <param name="buffering">Whether it is held in memory.</param>
    /// <param name="name">What it is, for messages.</param>
    /// <param name="check">Called for each row; throws to stop.</param>
    public static SequenceData Open(IDataView input, SequenceColumns columns, ref ObservationFormat format, bool learns, MarkovStateNames? states, Buffering buffering, string name, Action check)
    {
        var watched = new WatchedDataView(input, name, buffering == Buffering.Streaming ? PassCheck.Order : PassCheck.Count, check);
        var symbols = learns && format.IsText ? new Dictionary<string, int>(StringComparer.Ordinal) : null;
        var kept = new List<ObservedSequence>();
        var data = new SequenceData(() => kept);
        using (var reader = new SequenceReader(watched, columns, format, symbols, states))
        {
            var (sequence, width) = (new ObservedSequence(format.Width), format.Width);
            while (reader.Read(sequence))
            {
                data.NumberOfSequences++;
                data.NumberOfObservations += sequence.Length;
                data.NumberOfKnown += sequence.Length - sequence.NumberOfMissing;
                data.LastLength = sequence.Length;
                if (buffering == Buffering.Streaming)
                    continue;
                sequence.Trim();
                kept.Add(sequence);
                sequence = new ObservedSequence(width);
            }
            data.Counts = reader.Counts;
        }
        if (symbols != null)
            format = format with { Symbols = symbols.Count, Names = symbols.Keys.ToArray() };
        if (buffering == Buffering.InMemory)
            return data;
        var known = format;
        return new SequenceData(() => Stream(watched, columns, known, states))
        {
            Counts = data.Counts,
            NumberOfSequences = data.NumberOfSequences,
            NumberOfObservations = data.NumberOfObservations,
            NumberOfKnown = data.NumberOfKnown,
            LastLength = data.LastLength,
        };
    }

    /// <summary>Holds out whole sequences at random, or the end of a lone one.</summary>
    /// <exception cref="ArgumentException">There is one observation, which cannot be divided.</exception>
    public (SequenceData Training, SequenceData Held) Split(double fraction, int seed)
    {
        if (NumberOfObservations < 2)
            throw new ArgumentException($"{nameof(HiddenMarkovOptions.ValidationFraction)} is above 0, but there is one observation, so that nothing can be held out.", nameof(HiddenMarkovOptions.ValidationFraction));
        if (NumberOfSequences == 1)
        {
            var cut = LastLength - Math.Clamp((int)Math.Round(fraction * LastLength), 1, LastLength - 1);
            return (Part(sequences => sequences.Select(sequence => sequence.Slice(0, cut))), Part(sequences => sequences.Select(sequence => sequence.Slice(cut, LastLength - cut))));
        }
        var order = Enumerable.Range(0, NumberOfSequences).ToArray();
        new SplitMix64(SeedSequence.Derive(seed, SeedSequence.ValidationSplit)).Shuffle(order);
        var held = order.Take(Math.Clamp((int)Math.Round(fraction * NumberOfSequences), 1, NumberOfSequences - 1)).ToHashSet();
        return (Part(sequences => sequences.Where((_, i) => !held.Contains(i))), Part(sequences => sequences.Where((_, i) => held.Contains(i))));
    }

    private SequenceData Part(Func<IEnumerable<ObservedSequence>, IEnumerable<ObservedSequence>> choose)
    {
        // What is in memory is chosen once; slices would be copied again each time.
        var kept = _read() is List<ObservedSequence> all ? choose(all).ToList() : null;
        var part = new SequenceData(() => kept ?? choose(_read()));
        foreach (var sequence in part.Read())
        {
            part.NumberOfSequences++;
            part.NumberOfObservations += sequence.Length;
            part.NumberOfKnown += sequence.Length - sequence.NumberOfMissing;
            part.LastLength = sequence.Length;
        }
        return part;
    }

    private static IEnumerable<ObservedSequence> Stream(IDataView data, SequenceColumns columns, ObservationFormat format, MarkovStateNames? states)
    {
        using var reader = new SequenceReader(data, columns, format, states: states);
        var sequence = new ObservedSequence(format.Width);
        while (reader.Read(sequence))
            yield return sequence;
    }
}

/// <summary>What the beginnings of a training need to know of observations.</summary>
internal sealed class DataSummary
{
    private const int SampleSize = 5000;

    /// <summary>Goes through the data once.</summary>
    public DataSummary(SequenceData data, ObservationFormat format, int seed)
    {
        var random = new SeededRandom(SeedSequence.Derive(seed, SeedSequence.MarkovStarts));
        SymbolCounts = new double[format.Symbols];
        Means = new double[format.Width];
        Variances = new double[format.Width];
        var count = 0L;
        foreach (var sequence in data.Read())
        {
            for (var position = 0; position < sequence.Length; position++)
            {
                if (sequence.IsMissing(position))
                    continue;
                count++;
                if (format.IsDiscrete)
                    SymbolCounts[sequence.Symbols[position]]++;
                else
                    Add(sequence.Vector(position), count, random);
            }
        }
        for (var i = 0; i < Variances.Length; i++)
            Variances[i] /= Math.Max(1, count);
    }

    public double[] SymbolCounts { get; }

    public double[] Means { get; }

    /// <summary>The variance of each feature; 0 if it is always the same.</summary>
    public double[] Variances { get; }

    /// <summary>Some observations, drawn at random.</summary>
    public List<float[]> Sample { get; } = [];

    private void Add(ReadOnlySpan<float> vector, long count, SeededRandom random)
    {
        for (var i = 0; i < vector.Length; i++)
        {
            var distance = vector[i] - Means[i];
            Means[i] += distance / count;
            Variances[i] += distance * (vector[i] - Means[i]);
        }
        if (Sample.Count < SampleSize)
            Sample.Add(vector.ToArray());
        else if (random.NextInt64(count) is var place && place < SampleSize)
            vector.CopyTo(Sample[(int)place]);
    }
}
