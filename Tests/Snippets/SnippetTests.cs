using System.Reflection;
using MLExtensions.Tests;

namespace MLExtensions.Snippets;

/// <summary>
/// Every block of C# in README.md, docs/ and the packages' pages runs, on the least data that has the columns and shapes that the page says.
/// The blocks of a page run in their order in one folder, but each of them can be run alone.
/// </summary>
[TestClass]
public sealed class SnippetTests
{
    private static readonly string Home = Environment.CurrentDirectory;
    private static (string Document, TemporaryFolder Folder)? _open;

    public static IEnumerable<object[]> Blocks => SnippetList.All.Select(snippet => new object[] { snippet.Document, snippet.Line });

    public static string NameOf(MethodInfo method, object[] block) => $"{block[0]}:{block[1]}";

    [TestMethod]
    [DynamicData(nameof(Blocks), DynamicDataDisplayName = nameof(NameOf))]
    public async Task Block_Runs(string document, int line)
    {
        var snippet = SnippetList.All.Single(one => one.Document == document && one.Line == line);
        if (Setup.ReasonToSkip(snippet) is { } reason)
            Assert.Inconclusive(reason);
        Open(document);
        SnippetContext.Clear(snippet);
        Setup.Of(document)(snippet);
        foreach (var path in snippet.Written.Where(path => !snippet.Loads(path)))
            Delete(path);
        using var written = new StringWriter();
        var console = Console.Out;
        Console.SetOut(written);
        try
        {
            using var requests = ServerProbe.Start();
            await snippet.Run();
            requests.Check(snippet);
        }
        catch (OperationCanceledException) when (Setup.ReasonToShorten(snippet) is { } shortened)
        {
            Assert.Inconclusive(shortened);
        }
        catch (Exception e) when (e is not AssertFailedException)
        {
            Assert.Fail($"{e}\nWritten:\n{written}");
        }
        finally
        {
            Console.SetOut(console);
        }
        foreach (var path in snippet.Written)
            Assert.IsTrue(Path.Exists(path), $"{path} was not written.");
    }

    [TestMethod]
    public void EveryPageWithBlocks_HasASetup_AndNoOther()
    {
        var documents = SnippetList.All.Select(snippet => snippet.Document).Distinct().Order().ToArray();
        CollectionAssert.AreEqual(documents, Setup.Documents.Order().ToArray());
    }

    [ClassCleanup]
    public static void Close()
    {
        SnippetContext.Clear();
        Environment.CurrentDirectory = Home;
        _open?.Folder.Dispose();
        _open = null;
    }

    private static void Open(string document)
    {
        if (_open?.Document != document)
        {
            Close();
            _open = (document, new TemporaryFolder());
        }
        Environment.CurrentDirectory = _open!.Value.Folder.Path;
    }

    /// <summary>So that only what the block writes is there.</summary>
    private static void Delete(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
        else
            File.Delete(path);
    }
}
