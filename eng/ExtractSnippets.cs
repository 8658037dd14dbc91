using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>Makes a C# file of the C# blocks in Markdown files and of the examples in documentation comments: a class each, so that they compile.</summary>
public sealed class ExtractSnippets : Task
{
    private static readonly Regex Opening = new Regex("^(```csharp|\\s*/// <code>)$");
    private static readonly Regex Closing = new Regex("^(```|\\s*/// </code>)$");
    private static readonly Regex Comment = new Regex("^\\s*/// ?");
    private static readonly Regex Using = new Regex(@"^using [\w.]+;$");
    private static readonly Regex Type = new Regex(@"^(public |internal |sealed |static |abstract )*(class|record|struct|enum|interface) ");

    [Required]
    public ITaskItem[] Documents { get; set; }

    [Required]
    public string Output { get; set; }

    public override bool Execute()
    {
        var code = new StringBuilder("#pragma warning disable\n");
        var number = 0;
        foreach (var path in Documents.Select(document => document.GetMetadata("FullPath")))
        {
            var lines = File.ReadAllLines(path);
            for (var i = 0; i < lines.Length; i++)
            {
                if (!Opening.IsMatch(lines[i]))
                    continue;
                var end = System.Array.FindIndex(lines, i + 1, Closing.IsMatch);
                if (Comment.IsMatch(lines[i]))
                    Uncomment(lines, i + 1, end);
                Add(code, path, lines, i + 1, end, ++number);
                i = end;
            }
        }
        File.WriteAllText(Output, code.ToString());
        return true;
    }

    private static void Uncomment(string[] lines, int first, int end)
    {
        for (var i = first; i < end; i++)
            lines[i] = Comment.Replace(lines[i], "").Replace("&lt;", "<").Replace("&gt;", ">").Replace("&amp;", "&");
    }

    /// <summary>Usings go before the class, types into it, and the rest is a method.</summary>
    private static void Add(StringBuilder code, string path, string[] lines, int first, int end, int number)
    {
        var usings = new StringBuilder();
        var types = new StringBuilder();
        var body = new StringBuilder();
        for (var i = first; i < end; i++)
        {
            var target = body;
            var last = i;
            if (Using.IsMatch(lines[i]))
                target = usings;
            else if (Type.IsMatch(lines[i]))
            {
                target = types;
                if (!lines[i].EndsWith(";") && !lines[i].EndsWith("}"))
                {
                    while (!lines[last].StartsWith("}"))
                        last++;
                }
            }
            target.Append("#line ").Append(i + 1).Append(" \"").Append(path).Append("\"\n");
            for (; i < last; i++)
                target.Append(lines[i]).Append('\n');
            target.Append(lines[i]).Append('\n');
        }
        code.Append("namespace MLExtensions.Tests.Snippets.Number").Append(number).Append("\n{\n").Append(usings)
            .Append("#line hidden\ninternal sealed class Snippet : SnippetContext\n{\n").Append(types)
            .Append("#line hidden\nprivate static async Task Run()\n{\n").Append(body)
            .Append("#line hidden\n}\n}\n}\n");
    }
}
