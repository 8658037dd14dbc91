using static TorchSharp.torch;

namespace MLExtensions.Persistence;

/// <summary>A tensor as a safetensors header describes it.</summary>
/// <param name="Begin">First byte, counted from the start of the data section.</param>
/// <param name="End">The byte behind the last one.</param>
internal sealed record SafeTensorsEntry(string Name, ScalarType Type, IReadOnlyList<long> Shape, long Begin, long End)
{
    public long ByteCount => End - Begin;

    public string Description => Describe(Type, Shape);

    public static string Describe(ScalarType type, IEnumerable<long> shape)
    {
        var name = SafeTensorsTypes.Has(type) ? SafeTensorsTypes.NameOf(type) : type.ToString();
        return $"{name}[{string.Join(',', shape)}]";
    }
}
