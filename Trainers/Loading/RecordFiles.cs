namespace MLExtensions.Loading;

/// <summary>The records of some files, one file after the other.</summary>
internal sealed class RecordFiles
{
    private readonly RecordFile[] _files;

    public RecordFiles(IEnumerable<RecordFile> files)
    {
        _files = files.ToArray();
        RecordSize = _files[0].RecordSize;
        Count = _files.All(file => file.Count != null) ? _files.Sum(file => file.Count) : null;
    }

    public int RecordSize { get; }

    public long? Count { get; }

    /// <summary>Whether a record can be read without those before it.</summary>
    public bool CanSeek => _files.All(file => !file.File.IsCompressed);

    public IReadOnlyList<RecordFile> Files => _files;

    /// <summary>The file that holds a record, and the record's number in it.</summary>
    public (int File, long Record) Locate(long index)
    {
        var file = 0;
        while (file < _files.Length - 1 && _files[file].Count is { } count && index >= count)
        {
            index -= count;
            file++;
        }
        return (file, index);
    }
}
