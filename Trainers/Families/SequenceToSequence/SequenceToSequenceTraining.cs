using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using MLExtensions.Text;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Families.SequenceToSequence;

/// <summary>One training of a sequence-to-sequence network.</summary>
internal sealed class SequenceToSequenceTraining(IHost host, SequenceToSequenceEstimator.Options options, int seed) : NetworkTraining<PairBatch>(host, options, seed)
{
    private const int LikelyTokens = 4;

    private protected override NetworkArchitecture Plan(IDataView input, IDataView? validation, StartingWeights start, TrainingSession session)
    {
        var known = start.Architecture as SequenceToSequenceArchitecture;
        var (source, target) = known != null ? (known.SourceTokenizer, known.TargetTokenizer) : CreateTokenizers(input, session);
        // More tokens than the vocabulary has could never be drawn.
        if (options.NumberOfSampledTokens > (target ?? source).VocabularySize)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.NumberOfSampledTokens)} is {options.NumberOfSampledTokens}; the vocabulary has {(target ?? source).VocabularySize} tokens. It must be at most that, or null for all of them."), nameof(options.NumberOfSampledTokens));
        return options.CreateArchitecture(source, target);
    }

    private protected override TrainingData<PairBatch> Open(IDataView input, IDataView? validation, NetworkArchitecture architecture, StartingWeights start, Device device, TrainingSession session)
    {
        var network = (SequenceToSequenceArchitecture)architecture;
        var tokenizer = new PairTokenizer(network);
        var groupColumn = validation == null ? options.ValidationGroupColumnName : null;
        var pairs = PairSet.Read(input, options, tokenizer, session.ThrowIfCancelled, groupColumn);
        PairSet? others = null;
        try
        {
            Report(pairs, tokenizer, network, session, TrainingSession.TrainingData);
            if (pairs.Count == 0)
                throw new ArgumentException("The training data has no rows.");
            others = validation == null ? null : ValidationData.Read(() => PairSet.Read(validation, options, tokenizer, session.ThrowIfCancelled, null));
            if (others != null)
                Report(others, tokenizer, network, session, TrainingSession.ValidationData);
            if (others is { Count: 0 })
                throw new ArgumentException("The validation data has no rows.");
            var (training, aside) = pairs.Split(others == null ? options.ValidationFraction : 0, Seed, groupColumn);
            if (training.Length == 0 || (others == null && options.ValidationFraction > 0 && aside.Length == 0))
                throw new ArgumentException(FormattableString.Invariant($"ValidationFraction {options.ValidationFraction} of {pairs.Count} rows leaves {training.Length} rows for training and {aside.Length} for validation; both need at least one."));
            session.Say(FormattableString.Invariant($"{training.Length} pairs for training; {network.OutputCount} distinct tokens in the target, {network.SourceTokenizer.VocabularySize} in the source"));
            return new TrainingData<PairBatch>(
                Batches(pairs, training, shuffle: true),
                others != null ? Batches(others, [.. Enumerable.Range(0, others.Count)], shuffle: false) : aside.Length > 0 ? Batches(pairs, aside, shuffle: false) : null,
                head: null,
                pairs,
                others);
        }
        catch
        {
            pairs.Dispose();
            others?.Dispose();
            throw;
        }

        PairBatches Batches(PairSet set, int[] indices, bool shuffle) => new(
            set,
            indices,
            tokenizer,
            network.OutputTokenizer.EndOfSequenceId,
            new BatchSettings(options.BatchSize, network.MinimumBatchRows, Seed, shuffle, device, LengthOf: _ => 0).For(shuffle ? Distributed.ShareOf(options.Distributed) : Share.Whole),
            options.NeedsChecksum ? set.Checksum() : null);
    }

    private protected override TrainingStep<PairBatch> CreateStep(TrainedNetwork network, TrainingData<PairBatch> data) => new SequenceToSequenceStep(network, options, Seed);

    /// <summary>A pair is some tokens, of which all but the recurrence are computed at once.</summary>
    private protected override double WorkOf(NetworkArchitecture architecture) => LikelyTokens * architecture.MultiplyAdds;

    /// <summary>The tokenizer reads the texts before.</summary>
    private protected override bool ReadsAgain(IDataView input) => true;

    private (TextTokenizer Source, TextTokenizer? Target) CreateTokenizers(IDataView input, TrainingSession session)
    {
        var source = options.Tokenization.CreateBuilder();
        var target = options.TargetTokenization?.CreateBuilder();
        var hasText = false;
        if (source.NeedsText || target is { NeedsText: true })
        {
            PairSet.ForEachPair(input, options.SourceColumnName, options.TargetColumnName, session.ThrowIfCancelled, (read, written, _, _) =>
            {
                source.Add(read);
                (target ?? source).Add(written);
                hasText |= !written.IsWhiteSpace();
            });
        }
        var (sources, targets) = (source.Build(), target?.Build());
        // What is copied need not be in the vocabulary.
        if (hasText && !options.CopyWords && (target ?? source).NeedsText)
            RowTexts.RequireTokens(targets ?? sources, options.TargetColumnName);
        return (sources, targets);
    }

    private void Report(PairSet pairs, PairTokenizer tokenizer, SequenceToSequenceArchitecture architecture, TrainingSession session, string name)
    {
        var counts = pairs.Counts;
        var count = counts[DataCounts.Sequences];
        if (count > 0 && counts[DataCounts.EmptyTexts] == count)
            throw new ArgumentException(FormattableString.Invariant($"Column '{options.TargetColumnName}': all {count} rows of the {name} are empty texts; there is nothing to learn."));
        session.Report(counts, name, Notes());

        IEnumerable<DataNote> Notes()
        {
            if (pairs.HasOneTarget && count > 1 && name == TrainingSession.TrainingData)
                yield return new DataNote(FormattableString.Invariant($"All {count} targets of the {name} in column '{options.TargetColumnName}' have the same value; nothing but that can be learned."), IsWarning: true);
            if (counts[DataCounts.EmptySequences] is > 0 and var sources)
                yield return new DataNote(FormattableString.Invariant($"{sources} of {count} sources of the {name} in column '{options.SourceColumnName}' are empty: only their ends are read."), IsWarning: sources == count);
            if (counts[DataCounts.EmptyTexts] is > 0 and var targets)
                yield return new DataNote(FormattableString.Invariant($"{targets} of {count} targets of the {name} in column '{options.TargetColumnName}' are empty: the network learns to say nothing after their sources."), IsWarning: false);
            if (tokenizer.CutNote(counts, $"of the {name}") is { } cut)
                yield return cut;
            if (counts[PairTokenizer.CutTargets] is > 0 and var cutTargets)
                yield return new DataNote(FormattableString.Invariant($"{cutTargets} of {count} targets of the {name} are longer than {architecture.MaximumTargetTokens} tokens ({nameof(options.MaximumTargetTokens)}); {counts[PairTokenizer.LostTargetTokens]} tokens of them, and their ends, are not learned."), IsWarning: true);
            if (counts[PairTokenizer.LineEnds] is > 0 and var ends)
                yield return new DataNote(FormattableString.Invariant($"{ends} ends of lines within the targets of the {name} were left out: they would end what is written."), IsWarning: true);
            if (counts[PairTokenizer.CopiedWords] is > 0 and var copied)
                yield return new DataNote(FormattableString.Invariant($"{copied} words of the targets of the {name} are not in the vocabulary but in their sources, from where they are copied."), IsWarning: false);
            if (TokenNotes.UnknownShare(counts, name) is { } note)
                yield return note;
            foreach (var tokenizer in new[] { architecture.SourceTokenizer, architecture.TargetTokenizer })
            {
                if (tokenizer != null && TokenNotes.WholeSentences(tokenizer) is { } warning)
                    yield return warning;
            }
        }
    }
}
