using MLExtensions.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.Reinforcement;
using MLExtensions.Models;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

[assembly: LoadableClass(typeof(DqnTransformer), typeof(DqnTransformer), null, typeof(SignatureLoadModel), "", DqnTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>A trained deep Q-network: adds the best action and the values of all actions to each row with a state, and acts in environments.</summary>
/// <remarks>
/// With a mask column, the best of the allowed actions is taken, and the values of the others are NaN. In an environment ties are broken at
/// random; in a column the first of the best actions is taken. Acting in an environment costs microseconds for dense layers, which are not
/// computed by torch then.
/// </remarks>
public sealed class DqnTransformer : FeatureColumnsTransformer, INetworkHolder, IPolicy
{
    internal const string LoaderSignature = "MLExtDqn";
    private const string ModelSignature = "MLEXTDQN";
    private const string ModelFolder = "Model";

    /// <summary>The largest number of actions of a file that is believed.</summary>
    internal const int MostActions = 1 << 20;

    private readonly DqnColumns _columns;
    private readonly StateFormat _format;
    private readonly Lazy<ActionValueScorer> _scorer;

    internal DqnTransformer(IHostEnvironment env, NetworkModelParameters model, DqnColumns columns, PolicyKeys actions)
        : base(env.Register(LoaderSignature), columns.State, model)
    {
        _columns = columns;
        Model = model;
        Actions = actions;
        Architecture = (ActionValueArchitecture)model.Architecture;
        _format = new StateFormat(Architecture, columns);
        _scorer = new(() => new ActionValueScorer(Architecture, model.Network, CPU));
        Outputs = [new ActionColumn(columns.Action, actions), new ActionValuesColumn(columns.Values, actions)];
    }

    /// <summary>The column of the states, a <c>Vector&lt;Single&gt;</c>.</summary>
    public string StateColumnName => _columns.State;

    /// <summary>The column that says which actions are allowed; null if all are.</summary>
    public string? ActionMaskColumnName => _columns.Mask;

    /// <summary>The column that is added for the best action, a key.</summary>
    public string OutputColumnName => _columns.Action;

    /// <summary>The column that is added for the values of all actions, a <c>Vector&lt;Single&gt;</c>.</summary>
    public string ActionValuesColumnName => _columns.Values;

    /// <summary>The number of actions.</summary>
    public int ActionCount => Actions.Count;

    /// <summary>The names of the actions in key order: what keys stand for, or the numbers of the environment; null if there are none.</summary>
    public IReadOnlyList<string>? ActionNames => Actions.ColumnNames;

    /// <summary>The trained network with its history. The transformer owns it.</summary>
    public NetworkModelParameters Model { get; }

    /// <summary>The layers and sizes of the network.</summary>
    public ActionValueArchitecture Architecture { get; }

    /// <summary>The training history: metrics per epoch.</summary>
    public TrainingHistory History => Model.History ?? throw new InvalidOperationException("The network was not trained by this library, so it has no history.");

    IInitialWeights INetworkHolder.InitialWeights => new PolicyWeights(Model, Actions);

    internal PolicyKeys Actions { get; }

    internal override FeatureFormat Format => _format;

    internal override IReadOnlyList<OutputColumn> Outputs { get; }

    internal override double MultiplyAdds => Architecture.MultiplyAdds;

    private protected override int PassRows => Architecture.ScoringRows;

    /// <summary>Computes the values of all actions in a state: the expected discounted returns from there.</summary>
    /// <param name="state">The state, flattened row by row; of numbered states one value.</param>
    /// <returns>A value for each action, in key order.</returns>
    /// <exception cref="ArgumentException">There are too few or too many values.</exception>
    /// <exception cref="FormatException">A value cannot be; the message names it.</exception>
    /// <exception cref="ObjectDisposedException">The transformer was disposed.</exception>
    public float[] ActionValues(ReadOnlySpan<float> state)
    {
        CheckState(state);
        var values = new float[ActionCount];
        using var lease = Lease();
        _scorer.Value.Score(state, values);
        return values;
    }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The transformer was disposed.</exception>
    public int Act(ReadOnlySpan<float> observation, ReadOnlySpan<bool> actionMask, Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        CheckState(observation);
        if (!actionMask.IsEmpty && (actionMask.Length != ActionCount || !actionMask.Contains(true)))
            throw new ArgumentException(FormattableString.Invariant($"The mask has {actionMask.Length} values, {actionMask.Count(true)} of them true; there are {ActionCount} actions, and one must be allowed."), nameof(actionMask));
        using var lease = Lease();
        return new GreedyPolicy(_scorer.Value, Actions).Act(observation, actionMask, random);
    }

    internal override Tensor[] Compute(Tensor features, int[] active)
    {
        var states = _columns.Mask == null ? features : features.narrow(1, 0, Architecture.InputCount);
        var values = Model.Network.call(states);
        if (_columns.Mask != null)
            values = values.masked_fill(features.narrow(1, Architecture.InputCount, ActionCount).eq(Number.Zero), Number.Of(float.NaN));
        return active.Select(_ => values).ToArray();
    }

    internal override IReadOnlyList<string> Write(OnnxContext context, string rows)
    {
        var graph = Model.CreateGraph(context);
        var states = Architecture.InputCount;
        if (_columns.Mask == null)
        {
            var all = Architecture.Write(graph, rows);
            return [all, all];
        }
        var values = Architecture.Write(graph, graph.Slice(rows, 1, 0, states));
        var allowed = graph.Cast(graph.Slice(rows, 1, states, states + ActionCount), typeof(bool));
        // The best action is looked for among numbers, and the values of those that are not allowed are none.
        return [graph.Node("Where", [allowed, values, graph.Constant(double.NegativeInfinity)]), graph.Node("Where", [allowed, values, graph.Constant(double.NaN)])];
    }

    internal static DqnTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var columns = new DqnColumns(ctx.LoadNonEmptyString(), ctx.LoadStringOrNull(), ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString());
        var (hasStart, start) = (ctx.Reader.ReadByte() != 0, ctx.Reader.ReadInt32());
        var (count, hasNames) = (ctx.Reader.ReadInt32(), ctx.Reader.ReadByte() != 0);
        if (count is < 1 or > MostActions)
            throw new ModelFormatException("Model.key", FormattableString.Invariant($"has {count} actions"));
        var names = hasNames ? Enumerable.Range(0, count).Select(_ => ctx.LoadString()).ToArray() : null;
        var model = ctx.LoadNetwork(env, ModelFolder, "a deep Q-network", network => network is { Architecture: ActionValueArchitecture architecture, Head: null } && architecture.OutputCount == count);
        return new DqnTransformer(env, model, columns, new PolicyKeys(count, names, hasStart ? start : null));
    }

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema)
    {
        var column = FeatureRows.Find(schema, StateColumnName);
        _format.Check(column);
        if (_columns.Mask is { } mask)
            MaskReader.Check(FeatureRows.Find(schema, mask), ActionCount);
        return column;
    }

    private protected override IReadOnlyList<DataViewSchema.Column> OtherInputs(DataViewSchema schema) => _columns.Mask is { } mask ? [schema[mask]] : [];

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(_columns.State);
        ctx.SaveStringOrNull(_columns.Mask);
        ctx.SaveNonEmptyString(_columns.Action);
        ctx.SaveNonEmptyString(_columns.Values);
        ctx.Writer.Write((byte)(Actions.Start == null ? 0 : 1));
        ctx.Writer.Write(Actions.Start ?? 0);
        ctx.Writer.Write(Actions.Count);
        ctx.Writer.Write((byte)(Actions.Names == null ? 0 : 1));
        foreach (var name in Actions.Names ?? [])
            ctx.SaveString(name);
        ctx.SaveModel(Model, ModelFolder);
    }

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);

    private void CheckState(ReadOnlySpan<float> state)
    {
        if (state.Length != Architecture.InputCount)
            throw new ArgumentException(FormattableString.Invariant($"The state has {state.Length} values; that of this policy has {Architecture.InputCount}."), nameof(state));
        if (StateCheck.FirstWrong(Architecture, state) is var (place, allowed))
            throw new FormatException(FormattableString.Invariant($"Value {place} of the state is {state[place]}; it must be {allowed}."));
    }
}

/// <summary>Takes the best action of a network, one of them at random if there are ties.</summary>
internal readonly struct GreedyPolicy(ActionValueScorer scorer, PolicyKeys actions)
{
    private const int LargestOnStack = 256;

    public int Act(ReadOnlySpan<float> observation, ReadOnlySpan<bool> actionMask, Random random)
    {
        Span<float> values = actions.Count <= LargestOnStack ? stackalloc float[actions.Count] : new float[actions.Count];
        Span<double> doubles = actions.Count <= LargestOnStack ? stackalloc double[actions.Count] : new double[actions.Count];
        scorer.Score(observation, values);
        for (var action = 0; action < values.Length; action++)
            doubles[action] = values[action];
        return actions.NumberOf(GreedyChoice.Choose(doubles, actions.Count, actionMask, actions, random));
    }
}

/// <summary>A trained policy as the beginning of another training.</summary>
internal sealed class PolicyWeights(NetworkModelParameters model, PolicyKeys actions) : IInitialWeights
{
    public NetworkArchitecture Architecture => model.Architecture;

    public PredictionHead? Head => null;

    public bool LacksOutput => false;

    /// <summary>The actions in the order of the outputs.</summary>
    public PolicyKeys Actions => actions;

    public NetworkLease Lease() => model.Lease();

    public IReadOnlyDictionary<string, Tensor> WeightsFor(NetworkArchitecture architecture) => ((IInitialWeights)model).WeightsFor(architecture);
}

/// <summary>The best action, a key: the first one if there are ties. Values that are NaN are not allowed.</summary>
internal sealed record ActionColumn(string Name, PolicyKeys Actions) : OutputColumn(Name, new KeyDataViewType(typeof(uint), Actions.Count), Actions.Count)
{
    public override DataViewSchema.Annotations? Annotations => ActionNames.Of(Actions, areKeys: true);

    public override Delegate CreateGetter(ScoreSource source, int first)
    {
        ValueGetter<uint> getter = (ref uint destination) =>
        {
            var values = source.Current().Slice(first, Width);
            var best = -1;
            for (var i = 0; i < values.Length; i++)
            {
                if (!float.IsNaN(values[i]) && (best < 0 || values[i] > values[best]))
                    best = i;
            }
            destination = (uint)(best + 1);
        };
        return getter;
    }

    public override void Write(GraphWriter graph, OnnxColumns columns, string values) => graph.LargestKey(values, columns.Add(Name, Type));
}

/// <summary>The values of all actions.</summary>
internal sealed record ActionValuesColumn(string Name, PolicyKeys Actions) : OutputColumn(Name, new VectorDataViewType(NumberDataViewType.Single, Actions.Count), Actions.Count)
{
    public override DataViewSchema.Annotations? Annotations => ActionNames.Of(Actions, areKeys: false);

    public override Delegate CreateGetter(ScoreSource source, int first) => Vector(Name, Width).CreateGetter(source, first);

    public override void Write(GraphWriter graph, OnnxColumns columns, string values) => Vector(Name, Width).Write(graph, columns, values);
}

/// <summary>The names of actions in the annotations of columns.</summary>
internal static class ActionNames
{
    public static DataViewSchema.Annotations? Of(PolicyKeys actions, bool areKeys)
    {
        if (actions.ColumnNames is not { } names)
            return null;
        var builder = new DataViewSchema.Annotations.Builder();
        ValueGetter<VBuffer<ReadOnlyMemory<char>>> getter = (ref VBuffer<ReadOnlyMemory<char>> destination) =>
            destination = new VBuffer<ReadOnlyMemory<char>>(names.Count, names.Select(name => name.AsMemory()).ToArray());
        if (areKeys)
            builder.AddKeyValues(names.Count, TextDataViewType.Instance, getter);
        else
            builder.AddSlotNames(names.Count, getter);
        return builder.ToAnnotations();
    }
}
