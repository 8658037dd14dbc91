namespace MLExtensions.Examples.Serving.Protocols;

/// <summary>The names of types in the protocols.</summary>
internal static class DataTypes
{
    private static readonly Dictionary<Type, (string Name, string TensorFlow)> Names = new()
    {
        [typeof(float)] = ("FP32", "DT_FLOAT"),
        [typeof(double)] = ("FP64", "DT_DOUBLE"),
        [typeof(sbyte)] = ("INT8", "DT_INT8"),
        [typeof(short)] = ("INT16", "DT_INT16"),
        [typeof(int)] = ("INT32", "DT_INT32"),
        [typeof(long)] = ("INT64", "DT_INT64"),
        [typeof(byte)] = ("UINT8", "DT_UINT8"),
        [typeof(ushort)] = ("UINT16", "DT_UINT16"),
        [typeof(uint)] = ("UINT32", "DT_UINT32"),
        [typeof(ulong)] = ("UINT64", "DT_UINT64"),
        [typeof(bool)] = ("BOOL", "DT_BOOL"),
        [typeof(string)] = ("BYTES", "DT_STRING"),
        [typeof(byte[])] = ("BYTES", "DT_STRING"),
    };

    /// <summary>The name in the Open Inference Protocol.</summary>
    public static string NameOf(Type type) => Names[type].Name;

    /// <summary>The name in TensorFlow.</summary>
    public static string TensorFlowNameOf(Type type) => Names[type].TensorFlow;

    /// <summary>Whether data of a type can be read as another one: any number as any number, if its value fits.</summary>
    public static bool Fits(string name, Type type) =>
        name == NameOf(type) || (IsNumber(NameOf(type)) && (name == "FP16" || Names.Values.Any(each => each.Name == name && IsNumber(name))));

    private static bool IsNumber(string name) => name is not ("BOOL" or "BYTES");
}
