using System.Text.Json.Serialization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Scoring;
using static TorchSharp.torch;

namespace MLExtensions.Heads;

/// <summary>What was learned of the data beside the weights, and says what a network's outputs mean.</summary>
[JsonDerivedType(typeof(BinaryHead), "binary")]
[JsonDerivedType(typeof(MulticlassHead), "multiclass")]
[JsonDerivedType(typeof(RegressionHead), "regression")]
[JsonDerivedType(typeof(ForecastHead), "forecast")]
internal abstract record PredictionHead
{
    /// <summary>The number of output units that it needs.</summary>
    internal abstract int OutputCount { get; }

    /// <summary>Refuses values that only a damaged file can hold.</summary>
    public abstract void Check();
}

/// <summary>What a supervised task makes of a network's outputs: scores, and the columns of ML.NET that carry them.</summary>
internal abstract record ScoreHead : PredictionHead
{
    internal abstract PredictionKind Kind { get; }

    /// <summary>The type of the Score column.</summary>
    internal abstract DataViewType ScoreType { get; }

    /// <summary>Turns the network's outputs <c>[rows, OutputCount]</c> into scores.</summary>
    public abstract Tensor Activate(Tensor outputs);

    /// <summary>The Score column and what stands beside it.</summary>
    public abstract DataViewSchema CreateOutputSchema();

    /// <summary>The getter of one column of <see cref="CreateOutputSchema"/>.</summary>
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
