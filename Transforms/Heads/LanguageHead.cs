using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Scoring;
using static TorchSharp.torch;

namespace MLExtensions.Heads;

/// <summary>A logit a token. Language models are asked by their own transformers, not by ML.NET's scorers.</summary>
internal sealed record LanguageHead(int VocabularySize) : PredictionHead
{
    internal override int OutputCount => VocabularySize;

    internal override PredictionKind Kind => PredictionKind.Custom;

    internal override DataViewType ScoreType => new VectorDataViewType(NumberDataViewType.Single, VocabularySize);

    public override Tensor Activate(Tensor outputs) => outputs;

    public override DataViewSchema CreateOutputSchema() => throw NoScores();

    public override Delegate CreateGetter(int column, ScoreSource scores) => throw NoScores();

    public override void Check()
    {
        if (VocabularySize < 1)
            throw new FormatException($"vocabularySize is {VocabularySize}; it must be at least 1.");
    }

    private static InvalidOperationException NoScores() => new("A language model has no Score column; its transformer is LanguageModelTransformer.");
}
