using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Reinforcement;

/// <summary>
/// The rows of a log, read once: what each counts for a policy that did not make it. Rows that are for themselves are episodes of one step.
/// </summary>
internal sealed class WeightedLog
{
    public const string PropensityAdvice = "If the log does not say with which probability its policy took the action, fit a calibrated multiclass classifier of the action on the state, and take its score of the action; this is an estimate, and as good as the classifier.";

    // What is larger, or its square, could not be summed.
    private const double LargestWeight = 1e100;

    private readonly LogEvaluationOptions _options;
    private readonly List<int> _starts = [];
    private readonly List<double> _weights = [];
    private readonly List<double> _rewards = [];
    private readonly List<double> _returns = [];
    private readonly List<double> _direct = [];
    private readonly List<double> _robust = [];
    private readonly List<double> _products = [];
    private readonly long[] _taken;
    private readonly double[] _wanted;

    private WeightedLog(LogEvaluationOptions options, PolicyKeys actions)
    {
        (_options, Actions) = (options, actions);
        (_taken, _wanted) = (new long[actions.Count], new double[actions.Count]);
    }

    public PolicyKeys Actions { get; }

    public int Rows => _rewards.Count;

    /// <summary>The row that each episode begins with.</summary>
    public IReadOnlyList<int> Starts => _starts;

    /// <summary>The weight of each row: that of its episode up to there, clipped.</summary>
    public IReadOnlyList<double> Weights => _weights;

    /// <summary>The discounted reward of each row.</summary>
    public IReadOnlyList<double> Rewards => _rewards;

    /// <summary>The discounted return of each episode.</summary>
    public IReadOnlyList<double> Returns => _returns;

    /// <summary>What the predictions say that the policy gets in each episode.</summary>
    public IReadOnlyList<double> Direct => _direct;

    /// <summary>The same with the weighted errors of the predictions.</summary>
    public IReadOnlyList<double> Robust => _robust;

    /// <summary>The weight of each episode, not clipped but for what cannot be summed.</summary>
    public IReadOnlyList<double> Products => _products;

    public long Clipped { get; private set; }

    /// <summary>The actions that the policy wants and no row took, with the share of its probability.</summary>
    public IEnumerable<(string Name, double Share)> NeverTaken
    {
        get
        {
            for (var action = 0; action < _taken.Length; action++)
            {
                if (_taken[action] == 0 && _wanted[action] > 0)
                    yield return (Actions.ColumnNames?[action] ?? (action + 1).ToString(CultureInfo.InvariantCulture), _wanted[action] / Rows);
            }
        }
    }

    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there are no rows; the message names it.</exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    public static WeightedLog Read(IDataView data, LogEvaluationOptions options)
    {
        var schema = data.Schema;
        if (options.PropensityColumnName is { } wanted && schema.GetColumnOrNull(wanted) == null)
            throw new ArgumentException($"Column '{wanted}' is not in the data; importance sampling and the doubly robust estimate need the probability with which the log's policy took the action. {PropensityAdvice} With {nameof(options.PropensityColumnName)} = null only the direct method is computed.", nameof(data));
        string?[] names = [options.ActionColumnName, options.PolicyColumnName, options.RewardColumnName, options.PropensityColumnName, options.PredictedRewardsColumnName, options.EpisodeColumnName];
        var columns = names.OfType<string>().Select(name => FeatureRows.Find(schema, name)).DistinctBy(column => column.Index).ToArray();
        var shape = SchemaShape.Create(schema);
        TransitionLog.Check(shape, options.ActionColumnName, column => column.IsKey, "a key. Add MapValueToKey");
        TransitionLog.Check(shape, options.RewardColumnName, column => column.ItemType == NumberDataViewType.Single, "a Single. Add ConvertType");
        if (options.PropensityColumnName is { } propensity)
            TransitionLog.Check(shape, propensity, column => column.ItemType == NumberDataViewType.Single, "a Single. Add ConvertType");
        if (options.EpisodeColumnName is { } episode)
            TransitionLog.Check(shape, episode, EpisodeNumber.Suits, "a key or a whole number");
        var log = new WeightedLog(options, TransitionLog.KeysOf(schema[options.ActionColumnName]));
        using var cursor = data.GetRowCursor(columns);
        log.ReadRows(cursor);
        return log.Rows > 0 ? log : throw new ArgumentException("The log has no rows.", nameof(data));
    }

    private void ReadRows(DataViewRowCursor cursor)
    {
        var count = Actions.Count;
        var (taken, policy) = (new ActionKey(cursor, _options.ActionColumnName, Actions), new PolicyColumn(cursor, _options.PolicyColumnName, Actions));
        var predicted = _options.PredictedRewardsColumnName is { } name ? new ActionSlots(cursor, name, Actions) : null;
        var getReward = cursor.GetGetter<float>(cursor.Schema[_options.RewardColumnName]);
        var getPropensity = _options.PropensityColumnName is { } propensityName ? cursor.GetGetter<float>(cursor.Schema[propensityName]) : null;
        var episode = _options.EpisodeColumnName is { } episodeName ? new EpisodeNumber(cursor, episodeName) : null;
        var (probabilities, predictions) = (new double[count], new double[count]);
        var (product, discount) = (ScaledProduct.One, 1.0);
        while (cursor.MoveNext())
        {
            if (Rows % (1 << 12) == 0)
                _options.CancellationToken.ThrowIfCancellationRequested();
            if (episode == null || episode.Begins())
            {
                (product, discount) = (ScaledProduct.One, 1);
                _starts.Add(Rows);
                foreach (var sums in (List<double>[])[_returns, _direct, _robust, _products])
                    sums.Add(0);
            }
            var action = taken.Read();
            policy.Read(probabilities);
            var reward = 0f;
            getReward(ref reward);
            if (!float.IsFinite(reward))
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Column '{_options.RewardColumnName}', {RowName.Of(cursor.Position)}: the reward is {reward}; it must be finite."));
            predicted?.Read(predictions);
            var before = Clip(product.Value);
            product = product.Times(getPropensity == null ? double.NaN : probabilities[action] / Propensity(cursor, getPropensity));
            if (product.Value > LargestWeight && !(_options.MaximumWeight <= LargestWeight))
                throw new FormatException(FormattableString.Invariant($"Column '{_options.PropensityColumnName}', {RowName.Of(cursor.Position)}: with this propensity the weight of the {(episode == null ? "row" : "episode")} is above {LargestWeight:G2}, of which there is no mean. Set {nameof(_options.MaximumWeight)} to at most that, or {nameof(_options.PropensityColumnName)} = null for the direct method alone."));
            if (product.Value > _options.MaximumWeight)
                Clipped++;
            Add(action, reward, discount, before, Clip(product.Value), probabilities, predictions);
            _products[^1] = Math.Min(product.Value, LargestWeight);
            discount *= _options.DiscountFactor;
        }
    }

    private void Add(int action, double reward, double discount, double before, double weight, double[] probabilities, double[] predictions)
    {
        var expected = 0.0;
        for (var i = 0; i < probabilities.Length; i++)
        {
            expected += probabilities[i] * predictions[i];
            _wanted[i] += probabilities[i];
        }
        _taken[action]++;
        if (_starts[^1] == Rows)
            _direct[^1] = expected;
        _weights.Add(weight);
        _rewards.Add(discount * reward);
        _returns[^1] += discount * reward;
        _robust[^1] += discount * ((before * expected) + (weight * (reward - predictions[action])));
    }

    private double Clip(double weight) => weight > _options.MaximumWeight ? _options.MaximumWeight.Value : weight;

    private double Propensity(DataViewRowCursor cursor, ValueGetter<float> getter)
    {
        var propensity = 0f;
        getter(ref propensity);
        return propensity is > 0 and <= 1 ? propensity : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Column '{_options.PropensityColumnName}', {RowName.Of(cursor.Position)}: the propensity is {propensity}; it must be above 0 and at most 1: it is the probability with which the log's policy took the action that it took."));
    }
}

/// <summary>A product of many factors: on its way it may be larger or smaller than numbers can be.</summary>
internal readonly struct ScaledProduct
{
    private readonly double _mantissa;
    private readonly int _exponent;

    private ScaledProduct(double mantissa, int exponent) => (_mantissa, _exponent) = (mantissa, exponent);

    /// <summary>The product of no factors.</summary>
    public static ScaledProduct One => new(1, 0);

    /// <summary>The product; infinite or 0 if it is beyond all numbers.</summary>
    public double Value => _exponent == 0 ? _mantissa : Math.ScaleB(_mantissa, _exponent);

    /// <summary>Multiplies by a number that is not negative.</summary>
    public ScaledProduct Times(double factor)
    {
        var product = _mantissa * factor;
        if (product is not (> 1e100 or (> 0 and < 1e-100)))
            return new ScaledProduct(product, _exponent);
        var exponent = Math.ILogB(product);
        return new ScaledProduct(Math.ScaleB(product, -exponent), _exponent + exponent);
    }
}
