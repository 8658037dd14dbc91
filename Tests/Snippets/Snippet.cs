using System.Text.RegularExpressions;

namespace MLExtensions.Snippets;

/// <summary>A block of C# in a document.</summary>
/// <param name="Document">The path of the document in the repository.</param>
/// <param name="Line">The line on which the block begins.</param>
/// <param name="Code">The lines of the block.</param>
/// <param name="Run">Runs the block in the current directory, with what <see cref="SnippetContext"/> has.</param>
internal sealed partial record Snippet(string Document, int Line, string Code, Func<Task> Run)
{
    /// <summary>Files and folders that the block says it writes.</summary>
    public string[] Written => [.. SavedFile().Matches(Code).Concat(NamedFolder().Matches(Code)).Select(match => match.Groups[1].Value)];

    /// <summary>Whether the block reads this file.</summary>
    public bool Loads(string file) => Code.Contains($"Load(\"{file}\"", StringComparison.Ordinal);

    /// <summary>Whether the block has one of these words.</summary>
    public bool Has(params string[] words) => words.Any(Code.Contains);

    [GeneratedRegex("""\b(?:Save\w*|Create)\((?:[^()"\n]|\([^()\n]*\))*"([\w.-]+\.[a-z]+)["]""")]
    private static partial Regex SavedFile();

    [GeneratedRegex("""\b(?:Checkpoint|TensorBoard|Samples)Folder = "([\w]+)["]""")]
    private static partial Regex NamedFolder();
}
