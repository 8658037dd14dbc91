using Spectre.Console;

namespace MLExtensions.Examples.Infrastructure;

using Text = Spectre.Console.Text; // MLExtensions.Text is nearer

/// <summary>The folder <c>out/NAME</c> in the current directory, where an example leaves its files.</summary>
internal sealed class OutputFolder
{
    private readonly string _path;
    private readonly DateTime _begin = DateTime.UtcNow;

    public OutputFolder(string exampleName)
    {
        _path = FolderOf(exampleName);
        Directory.CreateDirectory(_path);
    }

    /// <summary>Where an example of this name leaves its files.</summary>
    public static string FolderOf(string exampleName) => Path.Combine("out", exampleName);

    public string PathOf(string fileName) => Path.Combine(_path, fileName);

    /// <summary>Keeps every epoch of a training, so that Ctrl+C loses at most one, and goes on after the last one if that is asked for.</summary>
    /// <param name="options">The options of the training.</param>
    /// <param name="name">The name of the network.</param>
    /// <param name="arguments">The command line, with <see cref="ExampleOption.Resume"/> or not.</param>
    public void KeepEpochs(TrainingOptions options, string name, ExampleArguments arguments)
    {
        options.CheckpointFolder = PathOf($"{name}-checkpoint");
        options.ResumeFromCheckpoint = arguments.IsGiven(ExampleOption.Resume);
    }

    /// <summary>Prints what was written since the beginning: of a part of the networks, not all files are.</summary>
    public void Print(params IReadOnlyList<(string FileName, string Description)> files)
    {
        var table = new Table().Border(TableBorder.None).HideHeaders().AddColumns("file", "description");
        foreach (var (fileName, description) in files.Where(file => IsNew(PathOf(file.FileName))))
            table.AddRow(new Text(PathOf(fileName), Color.Green), new Text(description));
        AnsiConsole.Write(table);
    }

    /// <param name="pattern">A path whose file name may have a * for several files.</param>
    private bool IsNew(string pattern) => Directory
        .EnumerateFileSystemEntries(Path.GetDirectoryName(pattern)!, Path.GetFileName(pattern))
        .Any(path => File.GetLastWriteTimeUtc(path) > _begin.AddSeconds(-2)); // file systems round times
}
