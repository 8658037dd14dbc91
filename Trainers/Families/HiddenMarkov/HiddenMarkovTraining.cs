using System.Runtime.ExceptionServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Families.HiddenMarkov;

/// <summary>One training: reads the data, runs all starts, and takes the best one.</summary>
internal sealed class HiddenMarkovTraining(IHost host, IChannel channel, HiddenMarkovOptions options, int seed)
{
    private readonly List<string> _warnings = [];
    private readonly Lock _lock = new();
    private int _done;

    /// <exception cref="ArgumentException">The data does not suit the options; the message says why.</exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    /// <exception cref="OperationCanceledException">The training was cancelled.</exception>
    public HiddenMarkovContent Run(IDataView input, IDataView? validation)
    {
        var format = ObservationFormat.Of(input.Schema[options.ObservationColumnName]);
        var (labels, labelNames) = Labels(input.Schema);
        var numbers = Numbers(labels);
        if (options.KnownSymbols is { } symbols)
        {
            format = format.IsText
                ? format with { Symbols = symbols.Count, Names = symbols }
                : throw new ArgumentException($"{nameof(DiscreteHiddenMarkovEstimator.Options.SymbolNames)} is set, but column '{options.ObservationColumnName}' has keys, which bring their own names and order; it must be null, or the column Text.", nameof(DiscreteHiddenMarkovEstimator.Options.SymbolNames));
        }
        var data = SequenceData.Open(input, options.Columns, ref format, learns: options.KnownSymbols == null, states: null, options.Buffering, "training data", Check);
        if (options.InitialParameters is { } given && options.WhyNot(given.Emissions, format) is { } why)
            throw new ArgumentException($"{nameof(options.InitialParameters)}: {why}", nameof(options.InitialParameters));
        if (data.NumberOfObservations == 0)
            throw new ArgumentException("There are no rows to train on.", nameof(input));
        if (data.NumberOfKnown == 0)
            throw new ArgumentException(FormattableString.Invariant($"All {data.NumberOfObservations} observations in column '{options.ObservationColumnName}' are missing."), nameof(input));
        Report(data.Counts, "");
        var (training, held) = (data, (SequenceData?)null);
        if (validation != null && options.ValidationFraction > 0)
            channel.Info(FormattableString.Invariant($"{nameof(options.ValidationFraction)} {options.ValidationFraction} has no effect: Fit got validation data."));
        if (validation != null)
            held = OpenValidation(validation, format, new MarkovStateNames(MarkovStateNames.Create(numbers[0], labelNames).All, labelNames));
        else if (options.ValidationFraction > 0)
            (training, held) = data.Split(options.ValidationFraction, seed);
        if (training.NumberOfKnown == 0)
            throw new ArgumentException($"All observations in column '{options.ObservationColumnName}' that are not held out are missing.", nameof(input));
        var summary = new DataSummary(training, format, seed);
        for (var feature = 0; feature < summary.Variances.Length; feature++)
        {
            if (summary.Variances[feature] == 0)
                Warn(FormattableString.Invariant($"Feature {feature} (the first is 0) of column '{options.ObservationColumnName}' is always {summary.Means[feature]}: it says nothing about states."));
        }
        // Where all states are known there is one optimum, whatever the beginning.
        var isCounting = labels > 0 && numbers is [var only] && only == labels && data.Counts[SequenceReader.KnownStates] == data.NumberOfObservations;
        var starts = options.InitialParameters == null && !isCounting ? options.NumberOfStarts : 1;
        var results = Start(numbers, starts, training, held, summary, labels);
        return Choose(results, training, held, format, labelNames, data.Counts);
    }

    private void Check()
    {
        options.CancellationToken.ThrowIfCancellationRequested();
        host.CheckAlive();
    }

    private (int Count, IReadOnlyList<string>? Names) Labels(DataViewSchema schema)
    {
        if (options.LabelColumnName == null)
            return (0, null);
        var column = schema[options.LabelColumnName];
        var count = ((KeyDataViewType)column.Type).Count;
        return count <= HiddenMarkovParameters.MaximumStates
            ? ((int)count, KeyNames.Of(column))
            : throw new ArgumentException(FormattableString.Invariant($"Label column '{column.Name}' has {count} keys; a model has at most {HiddenMarkovParameters.MaximumStates} states. Use MapValueToKey, whose keys are numbered without gaps."));
    }

    private int[] Numbers(int labels)
    {
        int[] numbers = options.NumbersOfStates.Count > 0 ? [.. options.NumbersOfStates] : [options.InitialParameters?.NumberOfStates ?? labels];
        foreach (var number in numbers)
        {
            if (number < labels)
                throw new ArgumentException(FormattableString.Invariant($"{nameof(options.NumbersOfStates)} has {number}, but label column '{options.LabelColumnName}' has {labels} states; there must be at least as many."), nameof(options.NumbersOfStates));
        }
        return numbers;
    }

    private SequenceData OpenValidation(IDataView validation, ObservationFormat format, MarkovStateNames states)
    {
        var columns = options.Columns;
        if (columns.Label != null && validation.Schema.GetColumnOrNull(columns.Label) == null)
            columns = columns with { Label = null };
        columns.Check(SchemaShape.Create(validation.Schema), options.IsDiscrete);
        var held = SequenceData.Open(validation, columns, ref format, learns: false, states, options.Buffering, "validation data", Check);
        if (held.NumberOfKnown == 0)
            throw new ArgumentException("The validation data has no observations.", nameof(validation));
        Report(held.Counts, "validation: ");
        return held;
    }

    private StartResult[] Start(int[] numbers, int starts, SequenceData training, SequenceData? held, DataSummary summary, int labels)
    {
        var results = new StartResult[numbers.Length * starts];
        var threads = options.Buffering == Buffering.Streaming ? 1 : Math.Min(options.ThreadCount ?? Environment.ProcessorCount, results.Length);
        try
        {
            if (threads == 1)
            {
                for (var job = 0; job < results.Length; job++)
                    results[job] = RunOne(job);
            }
            else
            {
                Parallel.For(0, results.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, job => results[job] = RunOne(job));
            }
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
        finally
        {
            (options.Progress as IProgressDisplay)?.End();
        }
        return results;

        StartResult RunOne(int job)
        {
            var (states, start) = (numbers[job / starts], job % starts);
            // A start is the same whatever else is tried.
            var random = new SeededRandom(SeedSequence.Derive(seed, SeedSequence.MarkovStarts, (states * 1_000_003) + start));
            var em = new BaumWelch(training, summary, options, labels, Check);
            var initial = options.InitialParameters ?? RandomEmissions.Create(states, start, options.CreateEmissions(states, summary, random), random);
            if (labels > 0 && options.InitialParameters == null)
                initial = em.CountLabels(initial);
            var result = em.Run(initial, random, results.Length == 1 ? record => Report(record, record.Epoch, options.MaximumIterations) : null);
            double? validation = held == null ? null : LogLikelihood(result.Parameters, held);
            var known = training.NumberOfKnown;
            var parameters = (options.FixedStart ? 0 : states - 1) + (options.FixedTransitions ? 0L : (long)states * (states - 1)) + (options.FixedEmissions ? 0 : result.Parameters.Emissions.FreeParameters);
            var summaryOfStart = new HiddenMarkovStart
            {
                NumberOfStates = states,
                Start = start + 1,
                Iterations = result.Records.Count,
                HasConverged = result.HasConverged,
                LogLikelihood = result.LogLikelihood,
                ValidationLogLikelihood = validation,
                Parameters = parameters,
                AkaikeInformationCriterion = (2 * parameters) - (2 * result.LogLikelihood),
                BayesianInformationCriterion = (parameters * Math.Log(known)) - (2 * result.LogLikelihood),
                RecoveredStates = result.Recovered,
            };
            lock (_lock)
                channel.Info("{0}", summaryOfStart);
            if (results.Length > 1)
                Report(result.Records.Count > 0 ? result.Records[^1] : result.Before, Interlocked.Increment(ref _done), results.Length);
            return new StartResult(result, summaryOfStart);
        }
    }

    private double LogLikelihood(HiddenMarkovParameters parameters, SequenceData held)
    {
        var recursion = new ForwardBackward(parameters, options.ComputeInLogSpace, forgives: true, Check);
        // Impossible observations become missing ones, and data in memory serves all starts.
        return held.Read().Sum(sequence => recursion.Run(sequence.Slice(0, sequence.Length)));
    }

    /// <summary>The best start of each number of states, and the best number by its criterion.</summary>
    private HiddenMarkovContent Choose(StartResult[] results, SequenceData training, SequenceData? held, ObservationFormat format, IReadOnlyList<string>? labelNames, DataCounts counts)
    {
        var best = results.GroupBy(result => result.Summary.NumberOfStates)
            .Select(group => group.MaxBy(result => result.Summary.ValidationLogLikelihood ?? result.Summary.LogLikelihood)!)
            .MinBy(result => result.Summary.BayesianInformationCriterion)!;
        var (result, summary) = best;
        if (!summary.HasConverged && options.Tolerance > 0 && options.MaximumIterations > 0)
            Warn(FormattableString.Invariant($"EM has not converged in {nameof(options.MaximumIterations)} = {options.MaximumIterations} iterations: the log-likelihood still grows by more than {nameof(options.Tolerance)} = {options.Tolerance} in each."));
        if (summary.RecoveredStates > 0)
            Warn(FormattableString.Invariant($"{summary.RecoveredStates} times a state explained nothing anymore, and was given a new beginning. Fewer states may be enough."));
        var records = result.Records.ToArray();
        if (held != null && summary.ValidationLogLikelihood is { } validation && records.Length > 0)
            records[^1] = records[^1] with { Validation = new Dictionary<string, double> { ["loss"] = -validation / held.NumberOfObservations, ["log-likelihood"] = validation } };
        channel.Info("{0} of {1} starts: {2}", summary.Start, results.Length, summary);
        return new HiddenMarkovContent(options.Columns, options.Outputs, format, MarkovStateNames.Create(summary.NumberOfStates, labelNames), result.Parameters, results.Select(each => each.Summary with { IsChosen = each == best }).ToArray())
        {
            History = new TrainingHistory
            {
                Epochs = records,
                BeforeTraining = result.Before,
                StopReason = summary.HasConverged ? StopReason.Converged : StopReason.Epochs,
                Seed = seed,
                ThreadCount = 1,
                Device = "cpu",
                Precision = "float64",
                Warnings = _warnings,
                DataCounts = counts.Values,
            },
        };
    }

    private void Report(DataCounts counts, string prefix)
    {
        var (unknown, all) = (counts[SequenceReader.UnknownSymbols], counts[SequenceReader.Observations]);
        if (unknown > 0)
            Warn(FormattableString.Invariant($"{prefix}{unknown} of {all} observations in column '{options.ObservationColumnName}' are symbols that are not known; they count as missing."));
        if (counts[SequenceReader.MissingObservations] > unknown)
            channel.Info("{0}", FormattableString.Invariant($"{prefix}{counts[SequenceReader.MissingObservations] - unknown} of {all} observations in column '{options.ObservationColumnName}' are missing."));
    }

    private void Report(EpochRecord record, int epoch, int epochs)
    {
        if (options.Progress == null)
            return;
        lock (_lock)
        {
            options.Progress.Report(new TrainingProgress
            {
                Epoch = epoch,
                Epochs = epochs,
                Batch = 1,
                Batches = 1,
                TrainingLoss = record.TrainingLoss,
                Completed = record,
                GoalMetric = "loss",
                ExamplesPerSecond = record.Examples / Math.Max(1e-9, record.Seconds),
                TimeLeft = TimeSpan.FromSeconds(record.Seconds * (epochs - epoch)),
            });
        }
    }

    private void Warn(string warning)
    {
        _warnings.Add(warning);
        channel.Warning("{0}", warning);
    }

    private sealed record StartResult(BaumWelchResult Result, HiddenMarkovStart Summary);
}
