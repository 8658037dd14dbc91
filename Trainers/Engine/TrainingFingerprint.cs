using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Engine;

/// <summary>
/// Everything that the result of a training depends on, by name: all options except those marked as not changing it, the initial networks,
/// and the data. A checkpoint with other values is rejected.
/// </summary>
internal static class TrainingFingerprint
{
    /// <summary>
    /// The name of the entry for the networks that were trained before this one and that it builds on. If they changed, its checkpoint is
    /// useless, and training starts from the beginning.
    /// </summary>
    public const string Foundation = "networks below";

    public static IReadOnlyDictionary<string, string> Create(TrainingOptions options, int seed, TrainingStep step, string? training, string? validation, IReadOnlyDictionary<string, string> more)
    {
        var values = OptionsOf(options);
        // Only some schedules depend on the number of epochs; with the others a training may be resumed for more epochs.
        if (options.LearningRateSchedule is not ConstantSchedule)
            values[nameof(options.Epochs)] = Text(options.Epochs);
        values[nameof(options.Seed)] = Text(seed);
        values["number of threads"] = Text(get_num_threads());
        // Before the weights, which may start from the data: the first difference is the one that a refusal names.
        values["training data"] = training ?? "none";
        values["validation data"] = validation ?? "none";
        foreach (var network in step.Networks)
        {
            values[$"device of the {network.Name}"] = network.Device.ToString();
            values[$"architecture of the {network.Name}"] = JsonSerializer.Serialize(network.Architecture);
            values[$"initial weights of the {network.Name}"] = network.Checksum();
        }
        foreach (var (name, value) in more)
            values[name] = value;
        return values;
    }

    /// <summary>Returns the options that change the result, by name.</summary>
    public static Dictionary<string, string> OptionsOf(TrainingOptions options) => options.GetType()
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(property => property.GetCustomAttribute<DoesNotChangeResultAttribute>() == null)
        .ToDictionary(property => property.Name, property => Text(property.GetValue(options)));

    /// <summary>Returns a value and everything in it as text, whether it is a record, a list or a number.</summary>
    private static string Text(object? value) => value switch
    {
        null => "unset",
        string text => text,
        Enum => value.ToString()!,
        IFormattable when value.GetType().IsPrimitive => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
        bool or char => value.ToString()!,
        IEnumerable items => $"[{string.Join(", ", items.Cast<object?>().Select(Text))}]",
        _ => $"{value.GetType().Name} {{ {string.Join(", ", Members(value).Select(member => $"{member.Name} = {Text(member.Value)}"))} }}",
    };

    /// <summary>What a value remembers, public or not: two class weights may differ in nothing that can be seen.</summary>
    private static IEnumerable<(string Name, object? Value)> Members(object value)
    {
        const BindingFlags Own = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        var fields = new List<FieldInfo>();
        for (var type = value.GetType(); type != null; type = type.BaseType)
            fields.AddRange(type.GetFields(Own));
        // The field of a property is <Name>k__BackingField.
        return fields.Select(field => (field.Name.TrimStart('<').Split('>')[0], field.GetValue(value))).OrderBy(member => member.Item1, StringComparer.Ordinal);
    }
}

/// <summary>
/// Marks an option that changes how training runs or which files it writes, but not the weights, or whose effect is in the fingerprint in
/// another form.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class DoesNotChangeResultAttribute : Attribute;

/// <summary>The SHA-256 of weights that are not in the checkpoint. It tells a resumed training that they are the same.</summary>
internal static class WeightChecksum
{
    public static string Of(IEnumerable<Tensor> weights)
    {
        using var scope = NewDisposeScope();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var weight in weights)
            TensorMemory.ForEachPiece(weight.detach().cpu().contiguous(), piece => hash.AppendData(piece));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
