using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Benchmarks;

/// <summary>A network whose scoring is measured with both engines.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Fit">Makes it.</param>
/// <param name="Data">The rows to score.</param>
internal sealed record ScoredNetwork(string Name, Func<ITransformer> Fit, IDataView Data);

/// <summary>Networks of other families: their weights do not matter.</summary>
internal static class OtherNetworks
{
    private static readonly MLContext Ml = new(1);

    public static IEnumerable<ScoredNetwork> All
    {
        get
        {
            var sequences = Ml.Data.LoadFromEnumerable(Sequences(2000));
            yield return new("LSTM of 64 units, lengths 5 to 200", () => Ml.MulticlassClassification.Trainers.Recurrent(new RecurrentMulticlassTrainer.Options { HiddenUnits = 64, Epochs = 1, StepSize = 8, MaximumLength = 200 }).Fit(Ml.Data.LoadFromEnumerable(Sequences(64))), sequences);
            yield return new("GRU of 64 units, both directions, lengths 5 to 200", () => Ml.MulticlassClassification.Trainers.Recurrent(new RecurrentMulticlassTrainer.Options { Cell = RecurrentCell.Gru, Bidirectional = true, HiddenUnits = 64, Epochs = 1, StepSize = 8, MaximumLength = 200 }).Fit(Ml.Data.LoadFromEnumerable(Sequences(64))), sequences);
            yield return new("ResNet-20, 32 x 32", () => Ml.MulticlassClassification.Trainers.ResNet(new ResNetMulticlassTrainer.Options { Depth = 20, Epochs = 1 }).Fit(Images(32, 64)), Images(32, 2000));
            yield return new("SqueezeNet 1.0, 224 x 224", () => Ml.MulticlassClassification.Trainers.Cnn(new CnnMulticlassTrainer.Options { Layers = CnnLayers.SqueezeNet(), Epochs = 1, BatchSize = 4 }).Fit(Images(224, 8)), Images(224, 100));
        }
    }

    private static SequenceRow[] Sequences(int count)
    {
        var random = new Random(1);
        return Enumerable.Range(0, count).Select(row => new SequenceRow
        {
            Features = Enumerable.Range(0, 8 * (row == 0 ? 200 : random.Next(5, 201))).Select(_ => random.NextSingle()).ToArray(),
            Label = (uint)(row % 10),
        }).ToArray();
    }

    private static IDataView Images(int side, int count)
    {
        var schema = SchemaDefinition.Create(typeof(SequenceRow));
        schema[nameof(SequenceRow.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 3, side, side);
        var random = new Random(1);
        return Ml.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(row => new SequenceRow
        {
            Features = Enumerable.Range(0, 3 * side * side).Select(_ => random.NextSingle()).ToArray(),
            Label = (uint)(row % 10),
        }).ToArray(), schema);
    }

    private sealed class SequenceRow
    {
        [KeyType(10)]
        public uint Label { get; set; }

        [VectorType]
        public float[] Features { get; set; } = [];
    }
}
