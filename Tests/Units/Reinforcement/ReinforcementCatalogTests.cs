using System.Reflection;
using Microsoft.ML;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>The short overloads of tabular learners have the defaults of the options, and pass on what they are given.</summary>
[TestClass]
public sealed class ReinforcementCatalogTests
{
    private static readonly ReinforcementLearningTrainers Trainers = new MLContext(1).ReinforcementLearning.Trainers;

    public static IEnumerable<object[]> Methods => typeof(ReinforcementLearningTrainers).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
        .Where(method => method.ReturnType.IsSubclassOf(typeof(TabularEstimator)) && method.GetParameters().Length > 1).Select(method => new object[] { method.Name });

    [TestMethod]
    [DynamicData(nameof(Methods))]
    public void ShortOverload_HasTheDefaults(string name)
    {
        var method = Short(name);
        var made = Settings(method.Invoke(Trainers, BindingFlags.OptionalParamBinding, null, [.. method.GetParameters().Select(_ => Type.Missing)], null)!);
        var defaults = Activator.CreateInstance(made.GetType())!;
        foreach (var property in made.GetType().GetProperties())
            Assert.AreEqual(property.GetValue(defaults), property.GetValue(made), property.Name);
    }

    [TestMethod]
    [DynamicData(nameof(Methods))]
    public void ShortOverload_PassesWhatItIsGiven(string name)
    {
        var method = Short(name);
        foreach (var parameter in method.GetParameters())
        {
            object given = parameter.DefaultValue switch { string => "Other", int number => number + 1, double number => number / 2, _ => throw new AssertFailedException($"{parameter.Name}") };
            var made = Settings(method.Invoke(Trainers, BindingFlags.OptionalParamBinding, null, [.. method.GetParameters().Select(each => each == parameter ? given : Type.Missing)], null)!);
            var property = made.GetType().GetProperty(char.ToUpperInvariant(parameter.Name![0]) + parameter.Name[1..])!;
            Assert.AreEqual(given, property.GetValue(made), property.Name);
        }
    }

    [TestMethod]
    public void Options_AreCopied()
    {
        var options = new QLearningEstimator.Options();
        var estimator = Trainers.QLearning(options);
        options.Epochs = 7;
        Assert.AreEqual(50, ((QLearningEstimator.Options)Settings(estimator)).Epochs);
    }

    private static MethodInfo Short(string name) => typeof(ReinforcementLearningTrainers).GetMethods().Single(method => method.Name == name && method.GetParameters().Length > 1);

    private static TabularOptions Settings(object estimator) => (TabularOptions)typeof(TabularEstimator)
        .GetProperty("Settings", BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(estimator)!;
}
