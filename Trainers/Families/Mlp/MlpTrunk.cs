using MLExtensions.Messages;
using MLExtensions.Training;

namespace MLExtensions.Families.Mlp;

/// <summary>What options say of a multilayer perceptron, whatever it is trained for.</summary>
internal sealed record MlpTrunk(IReadOnlyList<HiddenLayer> HiddenLayers, Activation Activation, double Dropout, double InputDropout, bool BatchNormalization)
{
    private const int MaximumLayers = 10_000;

    public MlpArchitecture CreateArchitecture(int inputCount, int outputCount) => new()
    {
        InputCount = inputCount,
        OutputCount = outputCount,
        InputDropout = InputDropout,
        HiddenLayers = HiddenLayers.Select(CreateLayer).ToArray(),
    };

    public string Describe() => FormattableString.Invariant($"[{NameList.Of(HiddenLayers.Select(layer => FormattableString.Invariant($"{layer.Units}")).ToList())}]");

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public void Check(int batchSize)
    {
        OptionCheck.NotNull(HiddenLayers, nameof(HiddenLayers));
        OptionCheck.Between(HiddenLayers.Count, 0, MaximumLayers, $"{nameof(HiddenLayers)}.{nameof(HiddenLayers.Count)}");
        for (var i = 0; i < HiddenLayers.Count; i++)
        {
            OptionCheck.NotNull(HiddenLayers[i], FormattableString.Invariant($"{nameof(HiddenLayers)}[{i}]"));
            HiddenLayers[i].Check(FormattableString.Invariant($"{nameof(HiddenLayers)}[{i}]"));
        }
        OptionCheck.Defined(Activation, nameof(Activation));
        OptionCheck.Fraction(Dropout, nameof(Dropout));
        OptionCheck.Fraction(InputDropout, nameof(InputDropout));
        if (HiddenLayers.Any(layer => layer.BatchNormalization ?? BatchNormalization))
            OptionCheck.Require(batchSize >= 2, batchSize, nameof(TrainingOptions.BatchSize), "at least 2 with batch normalization");
    }

    private MlpLayer CreateLayer(HiddenLayer layer) =>
        new(layer.Units, layer.Activation ?? Activation, layer.Dropout ?? Dropout, layer.BatchNormalization ?? BatchNormalization);
}
