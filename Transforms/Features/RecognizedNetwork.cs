using MLExtensions.Messages;
using MLExtensions.Persistence;

namespace MLExtensions.Features;

/// <summary>The well-known network whose layers have the names and sizes of those in a file.</summary>
/// <param name="Network">The network.</param>
/// <param name="OutputCount">The number of outputs in the file.</param>
internal sealed record RecognizedNetwork(KnownNetwork Network, int OutputCount)
{
    // GoogLeNet's auxiliary classifiers serve its training alone.
    private static readonly string[] TrainingOnly = ["aux1.", "aux2."];

    /// <summary>The network with its usual images.</summary>
    public ImageArchitecture UsualArchitecture => Network.Create(new ImageInput(Network.UsualImage) { Scaling = Network.Scaling }, OutputCount);

    /// <exception cref="ArgumentException">The file is of no known network; the message tells the nearest.</exception>
    public static RecognizedNetwork Of(WeightFile file, string option)
    {
        var sizes = WeightSizes.Of(file).Where(layer => !Array.Exists(TrainingOnly, layer.Key.StartsWith)).ToDictionary(StringComparer.Ordinal);
        var nearest = KnownNetwork.Candidates(file).Select(network => Misfit.Of(network, file, sizes)).MinBy(misfit => misfit.Count)!;
        if (nearest.Count == 0)
            return nearest.Candidate;
        throw new ArgumentException(
            $"{option} '{file.Path}' is of no network that is known here. {nearest.Candidate.Network.Name} comes nearest; {nearest}. Of another network, give the architecture.", option);
    }

    /// <summary>Where a candidate and a file differ.</summary>
    private sealed record Misfit(RecognizedNetwork Candidate, string[] Missing, string[] Unexpected, string[] OtherSize)
    {
        public int Count => Missing.Length + Unexpected.Length + OtherSize.Length;

        public static Misfit Of(KnownNetwork network, WeightFile file, Dictionary<string, long> found)
        {
            var draft = new RecognizedNetwork(network, 1);
            var candidate = draft with { OutputCount = WeightSizes.OutputsOf(file, draft.UsualArchitecture.OutputLayer) ?? 1 };
            var expected = WeightSizes.Of(candidate.UsualArchitecture);
            return new Misfit(
                candidate,
                expected.Keys.Where(layer => !found.ContainsKey(layer)).ToArray(),
                found.Keys.Where(layer => !expected.ContainsKey(layer)).ToArray(),
                expected.Where(layer => found.TryGetValue(layer.Key, out var size) && size != layer.Value).Select(layer => layer.Key).ToArray());
        }

        public override string ToString() =>
            $"layers that the file lacks: {NameList.Of(Missing)}; that the network lacks: {NameList.Of(Unexpected)}; of another size: {NameList.Of(OtherSize)}";
    }
}
