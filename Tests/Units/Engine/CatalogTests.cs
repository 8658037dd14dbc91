using System.Collections;
using System.Reflection;
using Microsoft.ML;
using MLExtensions.Engine;
using MLExtensions.Persistence;
using TorchSharp;

namespace MLExtensions.Tests.Engine;

/// <summary>Every family has two overloads for each task: one for beginners, whose defaults are those of the options, and one for all options.</summary>
[TestClass]
public sealed class CatalogTests
{
    private const string Given = "Given";
    private const string WeightsParameter = "weightsPath";
    private static readonly MLContext Ml = new(1);
    private static readonly TemporaryFolder Folder = new();

    /// <summary>Where members of the catalogs begin.</summary>
    private static readonly object[] Receivers =
        [Ml.BinaryClassification.Trainers, Ml.MulticlassClassification.Trainers, Ml.Regression.Trainers, Ml.Transforms, Ml.Forecasting, Ml.LanguageModels.Trainers, Ml.SequenceToSequence.Trainers, Ml.GenerativeModels.Trainers, Ml.ReinforcementLearning.Trainers, Ml.MetricLearning.Trainers];

    /// <summary>What a short overload says where the options leave a choice to the model that training starts from.</summary>
    private static readonly Dictionary<string, object> Chosen = new()
    {
        ["AutoencoderEstimator.LatentSize"] = 2,
        ["AutoencoderEstimator.Output"] = AutoencoderOutput.Bernoulli,
    };

    public static IEnumerable<object[]> Members => Methods
        .Select(method => (OptionsOf(method), method.Name, ReceiverOf(method).Name))
        .Distinct()
        .Select(member => new object[] { member.Item1!, member.Item2, member.Item3 });

    /// <summary>Nested types are the compiler's, for members of extensions.</summary>
    private static MethodInfo[] Methods => typeof(MlpCatalog).Assembly.GetExportedTypes()
        .Where(type => !type.IsNested)
        .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly))
        .Where(method => OptionsOf(method) != null && (!method.IsStatic || Receivers.Any(method.GetParameters()[0].ParameterType.IsInstanceOfType)))
        .ToArray();

    [ClassCleanup]
    public static void DeleteFiles() => Folder.Dispose();

    [TestMethod]
    public void EveryFamily_IsInTheCatalogs()
    {
        var options = typeof(TrainingOptions).Assembly.GetTypes().Where(type => type.IsVisible && type.IsSubclassOf(typeof(TrainingOptions)) && !type.IsAbstract).ToArray();
        CollectionAssert.AreEquivalent(options, Members.Select(member => (Type)member[0]).Distinct().ToArray());
    }

    [TestMethod]
    [DynamicData(nameof(Members))]
    public void ShortOverload_HasTheDefaultsOfTheOptions(Type optionsType, string name, string receiver)
    {
        var overloads = Methods.Where(method => OptionsOf(method) == optionsType && method.Name == name && ReceiverOf(method).Name == receiver).ToArray();
        Assert.HasCount(2, overloads, "a short overload, and one with options");
        var full = overloads.Single(method => ParametersOf(method) is [var only] && only.ParameterType == optionsType);
        var brief = overloads.Single(method => method != full);
        var defaults = (TrainingOptions)Activator.CreateInstance(optionsType)!;
        var options = Settings(Call(brief, ParametersOf(brief).Select(parameter => parameter.HasDefaultValue ? Type.Missing : Required(parameter))), optionsType);
        foreach (var property in optionsType.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (ParametersOf(brief).Any(parameter => !parameter.HasDefaultValue && IsSetBy(parameter, property)))
                continue;
            var expected = Chosen.GetValueOrDefault($"{optionsType.DeclaringType!.Name}.{property.Name}", Text(defaults, property));
            Assert.AreEqual(expected is string text ? text : expected.ToString(), Text(options, property), property.Name);
        }
        // The overload with options takes those of the short one.
        Assert.AreEqual(overloads[0].ReturnType, overloads[1].ReturnType);
        var again = Settings(Call(full, [options]), optionsType);
        Assert.AreNotSame(options, again, "the estimator keeps a copy");
        CollectionAssert.AreEquivalent(TrainingFingerprint.OptionsOf(options), TrainingFingerprint.OptionsOf(again));
    }

    /// <summary>A name that is given where there is a choice reaches the option of that name.</summary>
    [TestMethod]
    [DynamicData(nameof(Members))]
    public void ShortOverload_PassesWhatItIsGiven(Type optionsType, string name, string receiver)
    {
        var brief = Methods.Single(method => OptionsOf(method) == optionsType && method.Name == name && ReceiverOf(method).Name == receiver && ParametersOf(method)[0].ParameterType != optionsType);
        foreach (var parameter in ParametersOf(brief))
        {
            var property = optionsType.GetProperty(char.ToUpperInvariant(parameter.Name![0]) + parameter.Name[1..]);
            if (property == null || property.PropertyType != parameter.ParameterType)
                continue;
            var given = Other(parameter);
            var options = Settings(Call(brief, ParametersOf(brief).Select(each => each == parameter ? given : each.HasDefaultValue ? Type.Missing : Required(each))), optionsType);
            if (given is ICollection items)
                CollectionAssert.AreEqual(items, (ICollection)property.GetValue(options)!, property.Name); // a copy
            else
                Assert.AreEqual(given, property.GetValue(options), property.Name);
        }
    }

    private static Type ReceiverOf(MethodInfo method) => method.IsStatic ? method.GetParameters()[0].ParameterType : method.DeclaringType!;

    private static ParameterInfo[] ParametersOf(MethodInfo method) => method.IsStatic ? method.GetParameters()[1..] : method.GetParameters();

    /// <summary>The options of the estimator that a method makes; null for other methods.</summary>
    private static Type? OptionsOf(MethodInfo method) => method.ReturnType.GetNestedType("Options") is { } options && options.IsSubclassOf(typeof(TrainingOptions)) ? options : null;

    private static object Call(MethodInfo method, IEnumerable<object> arguments)
    {
        var receiver = Receivers.Single(ReceiverOf(method).IsInstanceOfType);
        return method.IsStatic
            ? method.Invoke(null, BindingFlags.OptionalParamBinding, null, [receiver, .. arguments], null)!
            : method.Invoke(receiver, BindingFlags.OptionalParamBinding, null, [.. arguments], null)!;
    }

    private static TrainingOptions Settings(object estimator, Type optionsType)
    {
        for (var type = estimator.GetType(); type != null; type = type.BaseType)
        {
            foreach (var field in type.GetFields(BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            {
                if (optionsType.IsInstanceOfType(field.GetValue(estimator)))
                    return (TrainingOptions)field.GetValue(estimator)!;
            }
        }
        throw new AssertFailedException($"{estimator.GetType()} keeps no {optionsType}.");
    }

    private static string Text(TrainingOptions options, PropertyInfo property) =>
        TrainingFingerprint.OptionsOf(options).TryGetValue(property.Name, out var text) ? text : property.GetValue(options)?.ToString() ?? "null";

    private static object Required(ParameterInfo parameter) => parameter.ParameterType switch
    {
        _ when parameter.Name == WeightsParameter => LossNetwork("given"),
        var type when type == typeof(string) => Given + parameter.Name, // columns must differ
        var type when type == typeof(int[]) => new[] { 3 },
        _ => 3,
    };

    /// <summary>A file with the weights of a known network, which an estimator reads when it is created.</summary>
    private static string LossNetwork(string name)
    {
        var path = Folder.File(name + ".safetensors");
        if (File.Exists(path))
            return path;
        var shape = new ImageShape(3, 224, 224);
        var architecture = new CnnArchitecture { InputCount = (int)shape.Count, OutputCount = 1000, Image = new ImageInput(shape), Layers = CnnLayers.SqueezeNet() };
        using var scope = torch.NewDisposeScope();
        using var module = architecture.CreateModule();
        AtomicFile.Write(path, stream => SafeTensorsWriter.Write(stream, module.state_dict()));
        return path;
    }

    private static object Other(ParameterInfo parameter) => parameter.DefaultValue switch
    {
        _ when parameter.Name == WeightsParameter => LossNetwork("other"),
        int number when parameter.Name == "batchSize" => number * 2, // a multiple of whatever it must be a multiple of
        int number => number + 6, // a depth of 26 is a residual network's, too
        double number => number / 2,
        Enum value => Enum.GetValues(parameter.ParameterType).Cast<object>().First(other => !other.Equals(value)),
        _ when parameter.ParameterType == typeof(string) => "Other",
        _ when parameter.ParameterType == typeof(IReadOnlyList<int>) => new[] { 5 },
        _ when parameter.ParameterType == typeof(MetricLoss) => new ContrastiveLoss(),
        _ when parameter.ParameterType == typeof(ImageTrunk) => ImageTrunk.ResNet(),
        _ when parameter.ParameterType == typeof(int[]) => new[] { 5 },
        _ when parameter.ParameterType == typeof(IReadOnlyList<ImageLayer>) => new ImageLayer[] { new DenseLayer() },
        _ => 5,
    };

    /// <summary>By its name, or as the first of several columns or files, or as the layers of a stack.</summary>
    private static bool IsSetBy(ParameterInfo parameter, PropertyInfo property) =>
        string.Equals(parameter.Name, property.Name, StringComparison.OrdinalIgnoreCase)
        || (parameter.Name, property.Name) is ("outputColumnName", "InputColumnName") or ("hiddenUnits", "HiddenLayers") or ("stylePath", "StylePaths");
}
