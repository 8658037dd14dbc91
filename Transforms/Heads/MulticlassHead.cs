using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Scoring;
using static TorchSharp.torch;

namespace MLExtensions.Heads;

/// <summary>A logit a class; their softmax is the score vector.</summary>
internal sealed record MulticlassHead(int ClassCount) : ScoreHead
{
    internal override int OutputCount => ClassCount;

    internal override PredictionKind Kind => PredictionKind.MulticlassClassification;

    internal override DataViewType ScoreType => new VectorDataViewType(NumberDataViewType.Single, ClassCount);

    public override Tensor Activate(Tensor outputs) => outputs.softmax(1);

    public override DataViewSchema CreateOutputSchema() =>
        ScoreSchemaFactory.Create(ScoreType, AnnotationUtils.Const.ScoreColumnKind.MulticlassClassification);

    public override Delegate CreateGetter(int column, ScoreSource scores) => VectorGetter(scores);

    public override void Check()
    {
        if (ClassCount < 1)
            throw new FormatException($"classCount is {ClassCount}; it must be at least 1.");
    }
}
