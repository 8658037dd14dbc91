using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Heads;
using MLExtensions.Scoring;
using MLExtensions.Tensors;
using TorchSharp;

namespace MLExtensions.Models;

/// <summary>ML.NET's own, older way to ask a model for one row's scores; PairwiseCoupling and its relatives still use it.</summary>
internal static class ModelValueMappers
{
    public static ValueMapper<TSrc, TDst> Create<TSrc, TDst>(NetworkModelParameters model)
    {
        Delegate mapper = model.Scores.ScoreType is VectorDataViewType ? Vector(model) : Scalar(model);
        return mapper as ValueMapper<TSrc, TDst>
            ?? throw new InvalidOperationException($"The model maps vectors of Single to {model.Scores.ScoreType}, not {typeof(TSrc)} to {typeof(TDst)}.");
    }

    public static ValueMapper<TSrc, TDst, TDist> CreateWithProbability<TSrc, TDst, TDist>(NetworkModelParameters model)
    {
        if (model.Head is not BinaryHead)
            throw new InvalidOperationException("Only a binary classifier has a probability beside its score.");
        var score = Scalar(model);
        ValueMapper<VBuffer<float>, float, float> mapper = (in VBuffer<float> features, ref float destination, ref float probability) =>
        {
            score(in features, ref destination);
            probability = BinaryHead.Probability(destination);
        };
        return (ValueMapper<TSrc, TDst, TDist>)(Delegate)mapper;
    }

    private static ValueMapper<VBuffer<float>, float> Scalar(NetworkModelParameters model)
    {
        var scores = new float[1];
        return (in VBuffer<float> features, ref float destination) =>
        {
            Score(model, in features, scores);
            destination = scores[0];
        };
    }

    private static ValueMapper<VBuffer<float>, VBuffer<float>> Vector(NetworkModelParameters model) =>
        (in VBuffer<float> features, ref VBuffer<float> destination) =>
        {
            var editor = VBufferEditor.Create(ref destination, model.Scores.OutputCount);
            Score(model, in features, editor.Values);
            destination = editor.Commit();
        };

    private static void Score(IBlockScorer model, in VBuffer<float> features, Span<float> scores)
    {
        using var scope = torch.NewDisposeScope();
        var row = torch.zeros([1, model.Format.Width]);
        model.Format.Arrange(in features, TensorMemory.Floats(row));
        model.Score(row, scores);
    }
}
