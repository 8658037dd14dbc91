using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Training;

namespace MLExtensions.Families.Reinforcement;

/// <summary>What the options of all learners have: the columns of logged steps, and what a later reward is worth.</summary>
internal interface IStepOptions
{
    string StateColumnName { get; set; }

    string ActionColumnName { get; set; }

    string RewardColumnName { get; set; }

    string NextStateColumnName { get; set; }

    string OutputColumnName { get; set; }

    string ActionValuesColumnName { get; set; }

    double DiscountFactor { get; set; }
}

/// <summary>Options of learners that act: random actions become rare along a line.</summary>
internal interface IExplorationOptions
{
    double InitialEpsilon { get; set; }

    double FinalEpsilon { get; set; }

    double EpsilonDecayFraction { get; set; }
}

/// <summary>Names and checks what learners share.</summary>
internal static class StepOptions
{
    /// <summary>Sets what the short overloads of the catalog take.</summary>
    public static TOptions Named<TOptions>(this TOptions options, string state, string action, string reward, string nextState, double discountFactor)
        where TOptions : IStepOptions
    {
        (options.StateColumnName, options.ActionColumnName, options.RewardColumnName, options.NextStateColumnName) = (state, action, reward, nextState);
        options.DiscountFactor = discountFactor;
        return options;
    }

    /// <summary>The columns that a policy adds: the best action and the values of all actions.</summary>
    /// <param name="options">Their names.</param>
    /// <param name="input">The schema of the logged rows; null if it is unknown.</param>
    public static SchemaShape.Column[] AddedColumns(this IStepOptions options, SchemaShape? input)
    {
        // Without the values of the keys no MapKeyToValue can follow in the same pipeline.
        var named = input is { } schema && schema.TryFindColumn(options.ActionColumnName, out var action)
            ? action.Annotations.Where(annotation => annotation.Name == AnnotationUtils.Kinds.KeyValues) : [];
        var keyValues = named.Select(annotation => new SchemaShape.Column(annotation.Name, SchemaShape.Column.VectorKind.Vector, TextDataViewType.Instance, isKey: false));
        return
        [
            new SchemaShape.Column(options.OutputColumnName, SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.UInt32, isKey: true, new SchemaShape(keyValues)),
            new SchemaShape.Column(options.ActionValuesColumnName, SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, isKey: false),
        ];
    }

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public static void CheckSteps(this IStepOptions options)
    {
        OptionCheck.NotEmpty(options.StateColumnName, nameof(options.StateColumnName));
        OptionCheck.NotEmpty(options.ActionColumnName, nameof(options.ActionColumnName));
        OptionCheck.NotEmpty(options.RewardColumnName, nameof(options.RewardColumnName));
        OptionCheck.NotEmpty(options.NextStateColumnName, nameof(options.NextStateColumnName));
        OptionCheck.NotEmpty(options.OutputColumnName, nameof(options.OutputColumnName));
        OptionCheck.NotEmpty(options.ActionValuesColumnName, nameof(options.ActionValuesColumnName));
        Messages.ColumnNames.RequireOther(options.ActionValuesColumnName, nameof(options.ActionValuesColumnName), (options.StateColumnName, nameof(options.StateColumnName)));
        OptionCheck.Require(options.OutputColumnName != options.ActionValuesColumnName, options.ActionValuesColumnName, nameof(options.ActionValuesColumnName), $"another name than {nameof(options.OutputColumnName)}");
        OptionCheck.Above(options.DiscountFactor, 0, 1, nameof(options.DiscountFactor));
    }

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public static void CheckExploration(this IExplorationOptions options)
    {
        OptionCheck.Between(options.InitialEpsilon, 0, 1, nameof(options.InitialEpsilon));
        OptionCheck.Between(options.FinalEpsilon, 0, 1, nameof(options.FinalEpsilon));
        OptionCheck.Between(options.EpsilonDecayFraction, 0, 1, nameof(options.EpsilonDecayFraction));
    }

    /// <summary>The probability of a random action when a share of the steps is done.</summary>
    public static double Epsilon(this IExplorationOptions options, double done) => options.EpsilonDecayFraction == 0
        ? options.FinalEpsilon
        : options.InitialEpsilon + ((options.FinalEpsilon - options.InitialEpsilon) * Math.Min(1, done / options.EpsilonDecayFraction));
}
