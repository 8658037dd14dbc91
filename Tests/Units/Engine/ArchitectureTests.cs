using System.Text.RegularExpressions;

namespace MLExtensions.Tests.Engine;

/// <summary>What may know what, by the sources: a family knows the engine, never the other way round.</summary>
[TestClass]
public sealed partial class ArchitectureTests
{
    private const int LongestFile = 400;

    private static readonly string[] FamilyFolders = ["Trainers/Families", "Transforms/Families"];
    private static readonly string[] SharedFolders = ["Trainers/Engine", "Trainers/Training", "Trainers/Supervised"];
    private static readonly string[] ProductFolders = ["Catalog", "Trainers", "Transforms"];

    [TestMethod]
    public void EngineAndSupervised_NameNoFamily()
    {
        var families = FamilyFolders.SelectMany(Read).SelectMany(source => TopLevelType().Matches(source.Code)).Select(match => match.Groups["name"].Value).ToHashSet();
        Assert.IsGreaterThan(100, families.Count, "types that families declare");
        var shared = SharedFolders.SelectMany(Read).ToArray();
        Assert.IsGreaterThan(30, shared.Length, "files of engine, training and supervised");
        AssertNone(shared.SelectMany(source => source.Lines.Where(line => line.Text.Contains("MLExtensions.Families") || Word().Matches(line.Text).Any(word => families.Contains(word.Value)))));
    }

    /// <summary>Proof that the search finds what it is for.</summary>
    [TestMethod]
    public void Search_FindsNamesOutsideOfComments()
    {
        var code = WithoutComments("/// <see cref=\"MlpOptions\"/>\nvar url = \"http://a//b\"; // MlpOptions\n/* MlpOptions\n */ if (options is MlpOptions)\n");
        Assert.AreEqual("\nvar url = \"http://a//b\"; \n\n if (options is MlpOptions)\n", code);
        Assert.AreEqual("MlpOptions", TopLevelType().Match("\npublic abstract class MlpOptions : SupervisedTrainerOptions").Groups["name"].Value);
        Assert.AreEqual("WindowPlace", TopLevelType().Match("\ninternal readonly record struct WindowPlace(TimeSeries Series)").Groups["name"].Value);
        Assert.IsFalse(TopLevelType().IsMatch("\n    private sealed class Reader"));
    }

    /// <summary>Transformers work without anything that trains them: a model is loaded by a program that has no trainers.</summary>
    [TestMethod]
    public void Transforms_ImportNothingOfTraining() => AssertNone(Read("Transforms").SelectMany(source => source.Lines.Where(line => TrainingNamespace().IsMatch(line.Text))));

    [TestMethod]
    public void Files_AreShort()
    {
        var files = ProductFolders.SelectMany(Read).ToArray();
        Assert.IsGreaterThan(200, files.Length);
        AssertNone(files.Where(source => source.Lines.Count > LongestFile).Select(source => source.Lines[^1]));
    }

    /// <summary>What computes without training says at once that libtorch is not there, instead of what TorchSharp says and copies then.</summary>
    [TestMethod]
    public void Inference_BeginsWithLoadingLibtorch() => AssertNone(Read("Transforms").Where(source => !source.File.EndsWith("/TorchState.cs")).SelectMany(source => source.Lines.Where(line => line.Text.Contains("inference_mode("))));

    private static void AssertNone(IEnumerable<Line> places)
    {
        var list = places.Select(place => $"{place.File}:{place.Number}: {place.Text.Trim()}").ToArray();
        Assert.IsEmpty(list, string.Join("\n", list));
    }

    private static IEnumerable<Source> Read(string folder)
    {
        var root = FindRoot();
        return Directory.GetFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(root, file).Replace('\\', '/'))
            .Where(file => !file.Contains("/obj/") && !file.Contains("/bin/"))
            .Select(file => new Source(file, WithoutComments(File.ReadAllText(Path.Combine(root, file)))));
    }

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder != null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "MLExtensions.sln")))
                return folder;
        }
        Assert.Inconclusive("The sources are not here.");
        return "";
    }

    /// <summary>Takes comments away, but not lines.</summary>
    private static string WithoutComments(string code) =>
        CommentOrString().Replace(code, match => match.Value[0] == '/' ? new string('\n', match.Value.Count(c => c == '\n')) : match.Value);

    [GeneratedRegex("""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'""", RegexOptions.Singleline)]
    private static partial Regex CommentOrString();

    /// <summary>Nested types have the names of those that they are in before theirs, or are private.</summary>
    [GeneratedRegex(@"^(?:[a-z]+ )*(?:class|struct|interface|enum|record|delegate \S+) (?<name>[A-Z]\w*)", RegexOptions.Multiline)]
    private static partial Regex TopLevelType();

    [GeneratedRegex(@"\b[A-Z]\w*\b")]
    private static partial Regex Word();

    [GeneratedRegex(@"\bMLExtensions\.(?:Engine|Training|Supervised)\b")]
    private static partial Regex TrainingNamespace();

    private sealed record Line(string File, int Number, string Text);

    private sealed record Source(string File, string Code)
    {
        public IReadOnlyList<Line> Lines { get; } = Code.Split('\n').Select((text, i) => new Line(File, i + 1, text)).ToArray();
    }
}
