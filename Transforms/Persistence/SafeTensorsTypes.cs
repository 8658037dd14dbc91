using static TorchSharp.torch;

namespace MLExtensions.Persistence;

/// <summary>The element types of safetensors files that torch has too.</summary>
internal static class SafeTensorsTypes
{
    private static readonly (string Name, ScalarType Type, int Size)[] All =
    [
        ("F64", ScalarType.Float64, 8),
        ("F32", ScalarType.Float32, 4),
        ("F16", ScalarType.Float16, 2),
        ("BF16", ScalarType.BFloat16, 2),
        ("I64", ScalarType.Int64, 8),
        ("I32", ScalarType.Int32, 4),
        ("I16", ScalarType.Int16, 2),
        ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1),
        ("BOOL", ScalarType.Bool, 1),
    ];

    public static string Supported { get; } = string.Join(", ", All.Select(t => t.Name));

    public static ScalarType? Find(string name)
    {
        var index = Array.FindIndex(All, t => t.Name == name);
        return index < 0 ? null : All[index].Type;
    }

    public static bool Has(ScalarType type) => Array.Exists(All, t => t.Type == type);

    public static string NameOf(ScalarType type) => Array.Find(All, t => t.Type == type).Name;

    public static int SizeOf(ScalarType type) => Array.Find(All, t => t.Type == type).Size;
}
