using MLExtensions.Messages;
using static TorchSharp.torch;

namespace MLExtensions.Persistence;

/// <summary>Compares the tensors of a file or a model with those of a network, by their descriptions alone.</summary>
internal sealed class WeightComparison
{
    // Torch's own loader lets it be missing too.
    private const string BatchCounter = "num_batches_tracked";

    private readonly List<string> _loaded = [];
    private readonly List<string> _missing = [];
    private readonly List<OtherWeight> _otherShape = [];
    private readonly List<string> _unexpected;

    /// <param name="sources">The tensors to take.</param>
    /// <param name="targets">The network's.</param>
    public WeightComparison(IEnumerable<WeightDescription> sources, IDictionary<string, Tensor> targets)
    {
        var byName = sources.ToDictionary(source => source.Name);
        _unexpected = byName.Keys.Where(name => !targets.ContainsKey(name)).ToList();
        foreach (var (name, target) in targets)
            Compare(name, target, byName.GetValueOrDefault(name));
        Report = new WeightReport { Loaded = _loaded, Missing = _missing, Unexpected = _unexpected, OtherShape = _otherShape.Select(other => other.Description).ToList() };
    }

    public WeightReport Report { get; }

    /// <summary>What does not fit, in words.</summary>
    public string Problems => $"missing: {NameList.Of(_missing)}; unexpected: {NameList.Of(_unexpected)}; of another shape: {NameList.Of(Report.OtherShape)}";

    public bool HasSameNames => _missing.Count == 0 && _unexpected.Count == 0;

    /// <summary>The tensors of another shape or kind of number.</summary>
    public IReadOnlyList<OtherWeight> OtherShape => _otherShape;

    private void Compare(string name, Tensor target, WeightDescription? source)
    {
        if (source == null)
        {
            if (!name.EndsWith(BatchCounter, StringComparison.Ordinal))
                _missing.Add(name);
            return;
        }
        var sameKind = is_floating_point(source.Type) == is_floating_point(target.dtype);
        if (sameKind && source.Shape.SequenceEqual(target.shape))
        {
            _loaded.Add(name);
            return;
        }
        var description = $"{name} ({SafeTensorsEntry.Describe(source.Type, source.Shape)} given, the network has {SafeTensorsEntry.Describe(target.dtype, target.shape)})";
        _otherShape.Add(new OtherWeight(name, description, sameKind && DifferInFirstOnly(source.Shape, target.shape)));
    }

    private static bool DifferInFirstOnly(IReadOnlyList<long> a, IReadOnlyList<long> b) => a.Count == b.Count && a.Skip(1).SequenceEqual(b.Skip(1));
}

/// <summary>A tensor's name, type and shape.</summary>
internal sealed record WeightDescription(string Name, ScalarType Type, IReadOnlyList<long> Shape);

/// <summary>A tensor that is another one in the network.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">The name and both shapes.</param>
/// <param name="FirstDimensionOnly">Whether the shapes differ in nothing but their first dimension.</param>
internal sealed record OtherWeight(string Name, string Description, bool FirstDimensionOnly);
