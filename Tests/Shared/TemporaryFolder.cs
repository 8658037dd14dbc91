namespace MLExtensions.Tests;

/// <summary>A folder that is gone, with all that is in it, after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mlextensions-");

    public string Path => _folder.FullName;

    /// <summary>The path of a file in the folder; folders on the way are created.</summary>
    public string File(params string[] names)
    {
        var path = System.IO.Path.Combine([Path, .. names]);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        return path;
    }

    /// <summary>Writes a file into the folder.</summary>
    public string Write(string name, byte[] content)
    {
        var path = File(name.Split('/'));
        System.IO.File.WriteAllBytes(path, content);
        return path;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
