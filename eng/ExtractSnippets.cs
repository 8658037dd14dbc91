using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Makes a C# file of the C# blocks in Markdown files and of the examples in documentation comments: a class each, so that they compile.
/// Those of the Markdown files are in a list, so that they can be run.
/// </summary>
public sealed class ExtractSnippets : Task
{
    private static readonly Regex Opening = new Regex(@"^\s*(```csharp|/// <code>)$");
    private static readonly Regex Closing = new Regex(@"^\s*(```|/// </code>)$");
    private static readonly Regex Comment = new Regex("^\\s*/// ?");
    private static readonly Regex Using = new Regex(@"^using [\w.]+;$");
    private static readonly Regex Variable = new Regex(@"^(?:await )?(?:using )?(?:var|[A-Za-z][\w.<>\[\], ]*?) (\w+) = ");
    private static readonly Regex Type = new Regex(@"^(public |internal |sealed |static |abstract )*(class|record|struct|enum|interface) ");

    [Required]
    public ITaskItem[] Documents { get; set; }

    /// <summary>The folder from which documents are named.</summary>
    [Required]
    public string Root { get; set; }

    [Required]
    public string Output { get; set; }

    public override bool Execute()
    {
        var code = new StringBuilder("#pragma warning disable\n");
        var list = new StringBuilder();
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
                else
                    Unindent(lines, i + 1, end, lines[i].IndexOf('`'));
                Add(code, path, lines, i + 1, end, ++number);
                if (path.EndsWith(".md"))
                    AddToList(list, path, lines, i + 1, end, number);
                i = end;
            }
        }
        code.Append("namespace MLExtensions.Snippets\n{\ninternal static class SnippetList\n{\npublic static readonly Snippet[] All =\n[\n")
            .Append(list).Append("];\n}\n}\n");
        File.WriteAllText(Output, code.ToString());
        return true;
    }

    private static void Uncomment(string[] lines, int first, int end)
    {
        for (var i = first; i < end; i++)
            lines[i] = Comment.Replace(lines[i], "").Replace("&lt;", "<").Replace("&gt;", ">").Replace("&amp;", "&");
    }

    /// <summary>Blocks in lists are indented.</summary>
    private static void Unindent(string[] lines, int first, int end, int indentation)
    {
        for (var i = first; i < end; i++)
            lines[i] = lines[i].Substring(System.Math.Min(indentation, lines[i].Length));
    }

    private void AddToList(StringBuilder list, string path, string[] lines, int first, int end, int number)
    {
        var document = path.Substring(Path.GetFullPath(Root).Length).TrimStart('/', '\\').Replace('\\', '/');
        var text = string.Join("\n", lines.Skip(first).Take(end - first)).Replace("\"", "\"\"");
        list.Append("new(\"").Append(document).Append("\", ").Append(first).Append(", @\"").Append(text)
            .Append("\", Number").Append(number).Append(".Code.Run),\n");
    }

    /// <summary>Usings go before the class, types into it, and the rest is a method, which at its end shows what it has made.</summary>
    private static void Add(StringBuilder code, string path, string[] lines, int first, int end, int number)
    {
        var usings = new StringBuilder();
        var types = new StringBuilder();
        var body = new StringBuilder();
        var made = new StringBuilder();
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
            var variable = Variable.Match(lines[i]);
            if (target == body && variable.Success)
                made.Append("Use(nameof(").Append(variable.Groups[1].Value).Append("), ").Append(variable.Groups[1].Value).Append(");\n");
            target.Append("#line ").Append(i + 1).Append(" \"").Append(path).Append("\"\n");
            for (; i < last; i++)
                target.Append(lines[i]).Append('\n');
            target.Append(lines[i]).Append('\n');
        }
        code.Append("namespace MLExtensions.Snippets.Number").Append(number).Append("\n{\n").Append(usings)
            .Append("#line hidden\ninternal sealed class Code : SnippetContext\n{\n").Append(types)
            .Append("#line hidden\npublic static async Task Run()\n{\n").Append(body)
            .Append("#line hidden\n").Append(made).Append("}\n}\n}\n");
    }
}
