using MLExtensions.Onnx;
using System.Text.Json.Serialization;
using MLExtensions.Tensors;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MLExtensions.Models;

/// <summary>What was learned from the data besides the weights. It interprets the outputs of a network.</summary>
[JsonDerivedType(typeof(BinaryHead), "binary")]
[JsonDerivedType(typeof(MulticlassHead), "multiclass")]
[JsonDerivedType(typeof(RegressionHead), "regression")]
[JsonDerivedType(typeof(ForecastHead), "forecast")]
internal abstract record PredictionHead
{
    /// <summary>The number of network outputs that it needs.</summary>
    internal abstract int OutputCount { get; }

    /// <summary>Rejects values that only a damaged file can contain.</summary>
    public abstract void Check();
}

/// <summary>The head of a supervised task: turns network outputs into scores and ML.NET's score columns.</summary>
internal abstract record ScoreHead : PredictionHead
{
    internal abstract PredictionKind Kind { get; }

    /// <summary>The type of the Score column.</summary>
    internal abstract DataViewType ScoreType { get; }

    /// <summary>Turns network outputs <c>[rows, OutputCount]</c> into scores.</summary>
    public abstract Tensor Activate(Tensor outputs);

    /// <summary>Writes what <see cref="Activate"/> computes as ONNX operators.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="outputs">The outputs of the network.</param>
    /// <param name="scores">The variable that takes the scores; null for a new one.</param>
    /// <returns>The scores.</returns>
    public abstract string Write(GraphWriter graph, string outputs, string? scores = null);

    /// <summary>Writes the columns that ML.NET's scorer of the task expects as ONNX operators.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="outputs">The outputs of the network.</param>
    /// <param name="columns">The variables of the columns, in the order of the scorer: of a classifier, PredictedLabel is the first.</param>
    public abstract void WriteColumns(GraphWriter graph, string outputs, string[] columns);

    /// <summary>The Score column and further columns.</summary>
    public abstract DataViewSchema CreateOutputSchema();

    /// <summary>Returns the getter of one column of <see cref="CreateOutputSchema"/>.</summary>
    public abstract Delegate CreateGetter(int column, ScoreSource scores);

    private protected static ValueGetter<float> ScalarGetter(ScoreSource scores) =>
        (ref float destination) => destination = scores.Current()[0];

    private protected static ValueGetter<VBuffer<float>> VectorGetter(ScoreSource scores) =>
        (ref VBuffer<float> destination) =>
        {
            var current = scores.Current();
            var editor = VBufferEditor.Create(ref destination, current.Length);
            current.CopyTo(editor.Values);
            destination = editor.Commit();
        };
}

/// <summary>One logit; its sigmoid is the probability of the positive class.</summary>
internal sealed record BinaryHead : ScoreHead
{
    public const double UsualThreshold = 0.5;

    /// <summary>The probability above which a row is predicted to be positive; null, which is not saved, for 0.5.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Threshold { get; init; }

    internal override int OutputCount => 1;

    internal override PredictionKind Kind => PredictionKind.BinaryClassification;

    internal override DataViewType ScoreType => NumberDataViewType.Single;

    public override Tensor Activate(Tensor outputs) => outputs;

    /// <remarks>The scorer itself makes PredictedLabel of the probability.</remarks>
    public override void WriteColumns(GraphWriter graph, string outputs, string[] columns)
    {
        Write(graph, outputs, columns[1]);
        // As outside of a graph: the operator of this name gives 0 far from 0, and a threshold may be as small.
        graph.Node("Div", [graph.Constant(1.0), graph.Add(graph.Constant(1.0), graph.Node("Exp", graph.Node("Neg", outputs)))], output: columns[2]);
    }

    public override string Write(GraphWriter graph, string outputs, string? scores = null) => graph.Node("Identity", outputs, output: scores);

    public override DataViewSchema CreateOutputSchema() => ScoreSchemaFactory.CreateBinaryClassificationSchema();

    public override Delegate CreateGetter(int column, ScoreSource scores)
    {
        if (column == 0)
            return ScalarGetter(scores);
        ValueGetter<float> probability = (ref float destination) => destination = Probability(scores.Current()[0]);
        return probability;
    }

    public override void Check()
    {
        if (!IsThreshold(Threshold ?? UsualThreshold))
            throw new FormatException(FormattableString.Invariant($"threshold is {Threshold}; it must be in [0, 1]."));
    }

    public static BinaryHead Create(double threshold) => new() { Threshold = threshold == UsualThreshold ? null : threshold };

    public static bool IsThreshold(double value) => value is >= 0 and <= 1;

    /// <summary>Whether a row with this output is predicted to be positive: what ML.NET's scorer computes.</summary>
    public bool IsPositive(float logit) => Probability(logit) > (float)(Threshold ?? UsualThreshold);

    public static float Probability(float logit) => 1 / (1 + MathF.Exp(-logit));
}

/// <summary>One logit per class; their softmax is the score vector.</summary>
internal sealed record MulticlassHead(int ClassCount) : ScoreHead
{
    internal override int OutputCount => ClassCount;

    internal override PredictionKind Kind => PredictionKind.MulticlassClassification;

    internal override DataViewType ScoreType => new VectorDataViewType(NumberDataViewType.Single, ClassCount);

    public override Tensor Activate(Tensor outputs) => outputs.softmax(1);

    public override void WriteColumns(GraphWriter graph, string outputs, string[] columns)
    {
        Write(graph, outputs, columns[1]);
        graph.LargestKey(columns[1], columns[0]);
    }

    public override string Write(GraphWriter graph, string outputs, string? scores = null) => graph.Softmax(outputs, scores);

    public override DataViewSchema CreateOutputSchema() =>
        ScoreSchemaFactory.Create(ScoreType, AnnotationUtils.Const.ScoreColumnKind.MulticlassClassification);

    public override Delegate CreateGetter(int column, ScoreSource scores) => VectorGetter(scores);

    public override void Check()
    {
        if (ClassCount < 1)
            throw new FormatException(FormattableString.Invariant($"classCount is {ClassCount}; it must be at least 1."));
    }
}

/// <summary>One output that was trained on the standardized label; the score is in the unit of the label.</summary>
/// <param name="Mean">The mean of the training labels.</param>
/// <param name="StandardDeviation">The standard deviation of the training labels; 1 if they were all equal.</param>
internal sealed record RegressionHead(double Mean, double StandardDeviation) : ScoreHead
{
    internal override int OutputCount => 1;

    internal override PredictionKind Kind => PredictionKind.Regression;

    internal override DataViewType ScoreType => NumberDataViewType.Single;

    public override Tensor Activate(Tensor outputs) => outputs.mul(Number.Of(StandardDeviation)).add_(Number.Of(Mean), Number.One);

    public override void WriteColumns(GraphWriter graph, string outputs, string[] columns) => Write(graph, outputs, columns[0]);

    public override string Write(GraphWriter graph, string outputs, string? scores = null) =>
        graph.Node("Identity", graph.Scale(outputs, StandardDeviation, Mean), output: scores);

    public override DataViewSchema CreateOutputSchema() =>
        ScoreSchemaFactory.Create(ScoreType, AnnotationUtils.Const.ScoreColumnKind.Regression);

    public override Delegate CreateGetter(int column, ScoreSource scores) => ScalarGetter(scores);

    public override void Check()
    {
        if (!double.IsFinite(Mean) || !double.IsFinite(StandardDeviation) || StandardDeviation <= 0)
            throw new FormatException(FormattableString.Invariant($"mean {Mean} and standardDeviation {StandardDeviation} must be finite, and standardDeviation must be positive."));
    }
}
