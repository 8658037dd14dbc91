using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Messages;
using MLExtensions.Networks;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Reinforcement;

/// <summary>
/// Predicts the rewards of all actions, each row by a model that did not see it (cross-fitting; Chernozhukov et al., 2018): a model that did
/// knows the reward by heart, and its errors, by which the doubly robust estimate corrects it, are too small.
/// </summary>
internal sealed class RewardPredictions
{
    private const string Features = "Features";
    private const string Label = "Label";

    private readonly MLContext _context;
    private readonly IEstimator<ITransformer> _estimator;
    private readonly RewardPredictionOptions _options;
    private readonly PolicyKeys _actions;
    private readonly int _width;
    private readonly List<float[]> _states = [];
    private readonly List<int> _taken = [];
    private readonly List<float> _rewards = [];
    private readonly List<long> _groups = [];

    private RewardPredictions(MLContext context, IEstimator<ITransformer> estimator, IDataView data, RewardPredictionOptions options)
    {
        (_context, _estimator, _options) = (context, estimator, options);
        var shape = SchemaShape.Create(data.Schema);
        FeatureRows.Check(shape, options.FeatureColumnName);
        TransitionLog.Check(shape, options.ActionColumnName, column => column.IsKey, "a key. Add MapValueToKey");
        TransitionLog.Check(shape, options.RewardColumnName, column => column.ItemType == NumberDataViewType.Single, "a Single. Add ConvertType");
        if (options.SamplingKeyColumnName is { } group)
            TransitionLog.Check(shape, group, EpisodeNumber.Suits, "a key or a whole number");
        _width = FeatureReader.WidthOf(data.Schema[options.FeatureColumnName]);
        _actions = TransitionLog.KeysOf(data.Schema[options.ActionColumnName]);
    }

    /// <summary>Adds the column.</summary>
    /// <exception cref="ArgumentException">
    /// A column is missing or of a wrong type, the estimator does not suit, or there are too few rows.
    /// </exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    public static IDataView Add(MLContext context, IDataView data, IEstimator<ITransformer> estimator, RewardPredictionOptions options)
    {
        options.Check();
        var work = new RewardPredictions(context, estimator, data, options);
        work.Read(data);
        var predictions = work.CrossFit();
        work.CheckSame(data);
        var schema = SchemaDefinition.Create(typeof(Prediction));
        var column = schema[nameof(Prediction.Values)]; // columns are found by their present names
        column.ColumnName = options.OutputColumnName;
        column.ColumnType = new VectorDataViewType(NumberDataViewType.Single, work._actions.Count);
        if (work._actions.Names is { } names)
            column.AddAnnotation(AnnotationUtils.Kinds.SlotNames, new VBuffer<ReadOnlyMemory<char>>(names.Count, names.Select(name => name.AsMemory()).ToArray()), new VectorDataViewType(TextDataViewType.Instance, names.Count));
        return ZipDataView.Create(context, [data, context.Data.LoadFromEnumerable(predictions.Select(values => new Prediction { Values = values }).ToArray(), schema)]);
    }

    private void Read(IDataView data)
    {
        foreach (var (state, taken, reward, group) in RowsOf(data))
        {
            _states.Add(state);
            _taken.Add(taken);
            _rewards.Add(reward);
            _groups.Add(group);
        }
    }

    /// <summary>The column stands beside rows that are read again: rows that come in another order would get the predictions of others.</summary>
    private void CheckSame(IDataView data)
    {
        var row = 0;
        foreach (var (state, taken, reward, _) in RowsOf(data))
        {
            if (row == _rewards.Count || taken != _taken[row] || reward != _rewards[row] || !state.AsSpan().SequenceEqual(_states[row]))
                throw Changed();
            row++;
        }
        if (row != _rewards.Count)
            throw Changed();

        ArgumentException Changed() => new($"The log is not the same each time that it is read: {RowName.Of(row)} was another one, or was not there. Predictions would stand beside wrong rows. Keep the rows in memory or in a file; drawing and shuffling need a seed.", nameof(data));
    }

    private IEnumerable<(float[] State, int Taken, float Reward, long Group)> RowsOf(IDataView data)
    {
        var schema = data.Schema;
        string?[] names = [_options.FeatureColumnName, _options.ActionColumnName, _options.RewardColumnName, _options.SamplingKeyColumnName];
        using var cursor = data.GetRowCursor(names.OfType<string>().Select(name => schema[name]).DistinctBy(column => column.Index));
        var features = new FeatureReader(cursor, schema[_options.FeatureColumnName], _width);
        var action = new ActionKey(cursor, _options.ActionColumnName, _actions);
        var getReward = cursor.GetGetter<float>(schema[_options.RewardColumnName]);
        var getGroup = _options.SamplingKeyColumnName is { } name ? EpisodeNumber.Getter(cursor, name) : null;
        while (cursor.MoveNext())
        {
            if (cursor.Position % (1 << 12) == 0)
                _options.CancellationToken.ThrowIfCancellationRequested();
            var (state, reward) = (new float[_width], 0f);
            features.Read(state);
            getReward(ref reward);
            if (!float.IsFinite(reward))
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Column '{_options.RewardColumnName}', {RowName.Of(cursor.Position)}: the reward is {reward}; it must be finite."));
            var group = getGroup?.Invoke() ?? cursor.Position;
            if (group == 0 && getGroup != null && schema[_options.SamplingKeyColumnName!].Type is KeyDataViewType)
                throw new FormatException(FormattableString.Invariant($"Column '{_options.SamplingKeyColumnName}', {RowName.Of(cursor.Position)}: the key is missing. Leave such rows out, or give them keys of their own."));
            yield return (state, action.Read(), reward, group);
        }
    }

    private float[][] CrossFit()
    {
        var groups = _groups.Distinct().ToArray();
        if (groups.Length < _options.Folds)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(_options.Folds)} is {_options.Folds}, but there are only {groups.Length} {(_options.SamplingKeyColumnName is { } name ? $"values of column '{name}'" : "rows")}; each part needs one."), nameof(_options.Folds));
        new SeededRandom(SeedSequence.Derive(_options.Seed, SeedSequence.Folds)).Shuffle(groups);
        var foldOf = groups.Select((group, i) => (group, Fold: i % _options.Folds)).ToDictionary(each => each.group, each => each.Fold);
        var folds = _groups.Select(group => foldOf[group]).ToArray();
        WarnOfRareActions(folds);
        var isBinary = TakesBooleans();
        var predictions = new float[folds.Length][];
        for (var fold = 0; fold < _options.Folds; fold++)
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
            var (inside, outside) = (Rows(folds, row => row == fold), Rows(folds, row => row != fold));
            var train = isBinary ? _context.Data.LoadFromEnumerable(outside.Select(Decided), Schema(typeof(Decision))) : _context.Data.LoadFromEnumerable(outside.Select(Rewarded), Schema(typeof(Case)));
            var model = _estimator.Fit(train);
            try
            {
                Predict(model, inside, predictions);
            }
            finally
            {
                (model as IDisposable)?.Dispose();
            }
        }
        return predictions;
    }

    private static int[] Rows(int[] folds, Func<int, bool> wanted) => Enumerable.Range(0, folds.Length).Where(row => wanted(folds[row])).ToArray();

    /// <summary>An action that a model never met is predicted from nothing.</summary>
    private void WarnOfRareActions(int[] folds)
    {
        var seen = new bool[_options.Folds, _actions.Count];
        for (var row = 0; row < folds.Length; row++)
        {
            for (var fold = 0; fold < _options.Folds; fold++)
                seen[fold, _taken[row]] |= folds[row] != fold;
        }
        var rare = Enumerable.Range(0, _actions.Count).Where(action => Enumerable.Range(0, _options.Folds).Any(fold => !seen[fold, action])).ToArray();
        if (rare.Length == 0)
            return;
        using var channel = ((IHostEnvironment)_context).Register("PredictRewards").Start("Predict");
        channel.Warning("{0}", FormattableString.Invariant($"Of {_actions.Count} actions, {rare.Length} are missing in the rows that some model learns from ({NameList.Of(rare.Select(action => _actions.ColumnNames?[action] ?? FormattableString.Invariant($"{action + 1}")).ToArray())}); their predicted rewards are guesses there."));
    }

    /// <summary>Whether the estimator predicts yes or no.</summary>
    private bool TakesBooleans()
    {
        try
        {
            _estimator.GetOutputSchema(SchemaShape.Create(_context.Data.LoadFromEnumerable(Array.Empty<Case>(), Schema(typeof(Case))).Schema));
            return false;
        }
        catch (ArgumentException asNumber)
        {
            try
            {
                _estimator.GetOutputSchema(SchemaShape.Create(_context.Data.LoadFromEnumerable(Array.Empty<Decision>(), Schema(typeof(Decision))).Schema));
            }
            catch (ArgumentException)
            {
                throw new ArgumentException($"The estimator of rewards does not take columns '{Features}' (Vector<Single>: the features and a 1 for the action) and '{Label}' (Single, or Boolean): {asNumber.Message}", "estimator", asNumber);
            }
        }
        if (_rewards.FindIndex(reward => reward is not (0 or 1)) is >= 0 and var row)
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Column '{_options.RewardColumnName}', {RowName.Of(row)}: the reward is {_rewards[row]}; for a binary classifier it must be 0 or 1. Use a regression."));
        return true;
    }

    private void Predict(ITransformer model, int[] rows, float[][] predictions)
    {
        var scored = model.Transform(_context.Data.LoadFromEnumerable(rows.SelectMany(row => Enumerable.Range(0, _actions.Count).Select(action => new Case { Features = Join(row, action) })), Schema(typeof(Case))));
        var column = scored.Schema.GetColumnOrNull("Probability") ?? scored.Schema.GetColumnOrNull("Score");
        if (column is not { } output || output.Type != NumberDataViewType.Single || (output.Name == "Score" && scored.Schema.GetColumnOrNull("PredictedLabel")?.Type is BooleanDataViewType))
            throw new ArgumentException($"The estimator of rewards gives {string.Join(", ", scored.Schema.Select(each => $"{each.Name} ({each.Type})"))}; it must give a Score (Single), as regressions do, or a Probability (Single), as calibrated binary classifiers do.", "estimator");
        using var cursor = scored.GetRowCursor([output]);
        var getter = cursor.GetGetter<float>(output);
        foreach (var row in rows)
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
            predictions[row] = new float[_actions.Count];
            for (var action = 0; action < _actions.Count; action++)
            {
                if (!cursor.MoveNext())
                    throw new ArgumentException("The estimator of rewards leaves out rows; it must predict each of them.", "estimator");
                getter(ref predictions[row][action]);
            }
        }
    }

    private Case Rewarded(int row) => new() { Features = Join(row, _taken[row]), Label = _rewards[row] };

    private Decision Decided(int row) => new() { Features = Join(row, _taken[row]), Label = _rewards[row] == 1 };

    /// <summary>The features and a 1 for the action.</summary>
    private float[] Join(int row, int action)
    {
        var joined = new float[_width + _actions.Count];
        _states[row].CopyTo(joined, 0);
        joined[_width + action] = 1;
        return joined;
    }

    private SchemaDefinition Schema(Type type)
    {
        var schema = SchemaDefinition.Create(type);
        schema[Features].ColumnType = new VectorDataViewType(NumberDataViewType.Single, _width + _actions.Count);
        return schema;
    }

    private sealed class Case
    {
        public float[] Features { get; set; } = [];

        public float Label { get; set; }
    }

    private sealed class Decision
    {
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }
    }

    private sealed class Prediction
    {
        public float[] Values { get; set; } = [];
    }
}
