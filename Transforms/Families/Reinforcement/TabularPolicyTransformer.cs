using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.Reinforcement;
using MLExtensions.Models;
using MLExtensions.Tensors;

[assembly: LoadableClass(typeof(TabularPolicyTransformer), typeof(TabularPolicyTransformer), null, typeof(SignatureLoadModel), "", TabularPolicyTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>The names of the columns of a policy of numbered states.</summary>
internal sealed record PolicyColumns(string State, string Action, string Values);

/// <summary>A policy of numbered states: adds the best action and the values of all actions to each row with a state.</summary>
/// <remarks>
/// States are found by the values that their keys stand for, or by their numbers where keys stand for nothing. A state that is missing or was
/// never met has a missing action. Values of actions that were never tried are NaN. In an environment, ties are broken at random; in a
/// column, the first of the best actions is taken.
/// </remarks>
public sealed class TabularPolicyTransformer : ManagedTransformer, IPolicy
{
    internal const string LoaderSignature = "MLExtTabularPolicy";
    private const string ModelSignature = "MLEXTTBP";

    private readonly PolicyColumns _columns;

    internal TabularPolicyTransformer(IHostEnvironment env, PolicyContent content, PolicyColumns columns)
        : base(env, ModelSignature, LoaderSignature)
    {
        _columns = columns;
        Content = content;
    }

    /// <summary>The column of the states, a key.</summary>
    public string StateColumnName => _columns.State;

    /// <summary>The column that is added for the best action, a key.</summary>
    public string OutputColumnName => _columns.Action;

    /// <summary>The column that is added for the values of all actions, a <c>Vector&lt;Single&gt;</c>.</summary>
    public string ActionValuesColumnName => _columns.Values;

    /// <summary>The number of states.</summary>
    public int StateCount => Content.States.Count;

    /// <summary>The number of actions.</summary>
    public int ActionCount => Content.Actions.Count;

    /// <summary>The names of the states in key order: what keys stand for, or the numbers of the environment; null if there are none.</summary>
    public IReadOnlyList<string>? StateNames => Content.States.ColumnNames;

    /// <summary>The names of the actions in key order: what keys stand for, or the numbers of the environment; null if there are none.</summary>
    public IReadOnlyList<string>? ActionNames => Content.Actions.ColumnNames;

    /// <summary>The table that the values were computed from; null if they were learned without one.</summary>
    public TransitionTable? Model => Content.Model;

    /// <summary>The mean return that the best policy reaches, with the discount factor and horizon of the solver; null if it is unknown.</summary>
    public double? OptimalReturn => Content.OptimalReturn;

    /// <summary>The training history; null if the values were computed.</summary>
    public TrainingHistory? History => Content.History;

    internal PolicyContent Content { get; }

    /// <summary>The value of an action in a state: the expected return from there; NaN if the action was never tried.</summary>
    /// <param name="state">The state, from 0 in key order.</param>
    /// <param name="action">The action, from 0 in key order.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such state or action.</exception>
    public double ActionValue(int state, int action)
    {
        CheckPlace(state, StateCount, nameof(state));
        CheckPlace(action, ActionCount, nameof(action));
        return Content.Values[(state * ActionCount) + action];
    }

    /// <summary>The value of a state: that of its best action; NaN if none was ever tried.</summary>
    /// <param name="state">The state, from 0 in key order.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such state.</exception>
    public double StateValue(int state) => BestAction(state) is var best && best < 0 ? double.NaN : ActionValue(state, best);

    /// <summary>The best action in a state, from 0 in key order, the first one if there are ties; -1 if none was ever tried.</summary>
    /// <param name="state">The state, from 0 in key order.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such state.</exception>
    public int BestAction(int state)
    {
        CheckPlace(state, StateCount, nameof(state));
        var values = Row(state);
        var best = -1;
        for (var action = 0; action < values.Length; action++)
        {
            if (!double.IsNaN(values[action]) && (best < 0 || values[action] > values[best]))
                best = action;
        }
        return best;
    }

    /// <inheritdoc/>
    public int Act(ReadOnlySpan<float> observation, ReadOnlySpan<bool> actionMask, Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        if (observation.Length != 1)
            throw new ArgumentException(FormattableString.Invariant($"The observation has {observation.Length} values; that of a policy of numbered states has 1."), nameof(observation));
        if (observation[0] != (int)observation[0])
            throw new ArgumentException(FormattableString.Invariant($"The observation is {observation[0]}; that of a policy of numbered states is a whole number."), nameof(observation));
        if (!actionMask.IsEmpty && (actionMask.Length != ActionCount || !actionMask.Contains(true)))
            throw new ArgumentException(FormattableString.Invariant($"The mask has {actionMask.Length} values, {actionMask.Count(true)} of them true; there are {ActionCount} actions, and one must be allowed."), nameof(actionMask));
        var state = Content.States.PlaceOf((int)observation[0]);
        return Content.Actions.NumberOf(GreedyChoice.Choose(state < 0 ? [] : Row(state), ActionCount, actionMask, Content.Actions, random));
    }

    /// <summary>Whether the policy has the value of an allowed action in a state; otherwise <see cref="Act"/> acts at random.</summary>
    internal bool Knows(ReadOnlySpan<float> observation, ReadOnlySpan<bool> actionMask)
    {
        var state = Content.States.PlaceOf((int)observation[0]);
        for (var action = 0; state >= 0 && action < ActionCount; action++)
        {
            if (!double.IsNaN(Content.Values[(state * ActionCount) + action]) && GreedyChoice.IsAllowed(actionMask, action, Content.Actions))
                return true;
        }
        return false;
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(_columns.State);
        ctx.SaveNonEmptyString(_columns.Action);
        ctx.SaveNonEmptyString(_columns.Values);
        PolicyFile.Save(ctx, Content);
    }

    private protected override IRowMapper CreateMapper(DataViewSchema schema) => new Mapper(this, schema);

    internal static TabularPolicyTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(ModelVersion.Of(ModelSignature, LoaderSignature));
        var columns = new PolicyColumns(ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString());
        return new TabularPolicyTransformer(env, PolicyFile.Load(ctx), columns);
    }

    private ReadOnlySpan<double> Row(int state) => Content.Values.AsSpan(state * ActionCount, ActionCount);

    private static void CheckPlace(int place, int count, string name)
    {
        if ((uint)place >= (uint)count)
            throw new ArgumentOutOfRangeException(name, place, FormattableString.Invariant($"It must be from 0 to {count - 1}."));
    }

    private sealed class Mapper : RowMapper
    {
        private readonly TabularPolicyTransformer _policy;
        private readonly DataViewSchema.Column _input;
        private readonly Func<uint, int> _find;

        public Mapper(TabularPolicyTransformer policy, DataViewSchema schema)
            : base(policy)
        {
            _policy = policy;
            _input = schema.GetColumnOrNull(policy.StateColumnName)
                ?? throw new ArgumentException($"There is no column '{policy.StateColumnName}'; there are {string.Join(", ", schema.Select(column => column.Name))}.", nameof(schema));
            _find = policy.Content.States.Find(_input, "states");
        }

        public override Func<int, bool> GetDependencies(Func<int, bool> activeOutput) => column => column == _input.Index && (activeOutput(0) || activeOutput(1));

        public override DataViewSchema.DetachedColumn[] GetOutputColumns()
        {
            var (keys, slots) = (new DataViewSchema.Annotations.Builder(), new DataViewSchema.Annotations.Builder());
            if (_policy.ActionNames is { } names)
            {
                ValueGetter<VBuffer<ReadOnlyMemory<char>>> getter = (ref VBuffer<ReadOnlyMemory<char>> destination) =>
                    destination = new VBuffer<ReadOnlyMemory<char>>(names.Count, names.Select(name => name.AsMemory()).ToArray());
                keys.AddKeyValues(names.Count, TextDataViewType.Instance, getter);
                slots.AddSlotNames(names.Count, getter);
            }
            var count = _policy.ActionCount;
            return
            [
                new DataViewSchema.DetachedColumn(_policy.OutputColumnName, new KeyDataViewType(typeof(uint), count), keys.ToAnnotations()),
                new DataViewSchema.DetachedColumn(_policy.ActionValuesColumnName, new VectorDataViewType(NumberDataViewType.Single, count), slots.ToAnnotations()),
            ];
        }

        public override Delegate?[] CreateGetters(DataViewRow row, Func<int, bool> activeOutput, out Action? disposer)
        {
            disposer = null;
            if (!activeOutput(0) && !activeOutput(1))
                return new Delegate?[2];
            var getState = KeyNames.Open(row, row.Schema[_input.Index]);
            ValueGetter<uint> getAction = (ref uint destination) =>
            {
                var state = State();
                destination = state < 0 ? 0 : (uint)(_policy.BestAction(state) + 1);
            };
            ValueGetter<VBuffer<float>> getValues = (ref VBuffer<float> destination) =>
            {
                var state = State();
                var editor = VBufferEditor.Create(ref destination, _policy.ActionCount);
                for (var action = 0; action < _policy.ActionCount; action++)
                    editor.Values[action] = state < 0 ? float.NaN : (float)_policy.ActionValue(state, action);
                destination = editor.Commit();
            };
            return [activeOutput(0) ? getAction : null, activeOutput(1) ? getValues : null];

            int State()
            {
                var key = 0u;
                getState(ref key);
                return _find(key);
            }
        }
    }
}
