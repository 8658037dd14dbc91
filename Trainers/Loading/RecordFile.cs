using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace MLExtensions.Loading;

/// <summary>A file with a header and records of equal size.</summary>
internal sealed class RecordFile
{
    public RecordFile(DataFile file, int headerSize, int recordSize, long? count)
    {
        File = file;
        HeaderSize = headerSize;
        RecordSize = recordSize;
        Count = count;
    }

    public DataFile File { get; }

    public int HeaderSize { get; }

    public int RecordSize { get; }

    /// <summary>The number of records; null for a gzipped file whose number is not in the header.</summary>
    public long? Count { get; }

    /// <summary>Opens a file without a header.</summary>
    public static RecordFile WithoutHeader(string path, int recordSize)
    {
        var file = DataFile.Find(path);
        if (file.IsCompressed)
            return new RecordFile(file, 0, recordSize, null);
        var (count, rest) = Math.DivRem(file.Size, recordSize);
        if (count == 0 || rest != 0)
            throw file.Wrong(string.Create(CultureInfo.InvariantCulture, $"it has {file.Size:N0} bytes, which is not a multiple of the record size, {recordSize:N0} bytes"));
        return new RecordFile(file, 0, recordSize, count);
    }
}

/// <summary>The records of several files, one file after the other.</summary>
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

    /// <summary>Whether records can be read in any order.</summary>
    public bool CanSeek => _files.All(file => !file.File.IsCompressed);

    public IReadOnlyList<RecordFile> Files => _files;

    /// <summary>Returns the file that holds a record, and the number of the record in it.</summary>
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

/// <summary>Reads records, either one after the other or, from plain files, in any order.</summary>
internal sealed class RecordReader(RecordFiles files) : IDisposable
{
    private readonly byte[] _record = new byte[files.RecordSize];
    private readonly SafeFileHandle?[] _handles = new SafeFileHandle?[files.Files.Count];
    private Stream? _content;
    private int _file;
    private long _nextRecord;

    public ReadOnlySpan<byte> Record => _record;

    /// <summary>Creates an exception that names the file and the last record read.</summary>
    public FormatException Wrong(string problem) =>
        files.Files[_file].File.Wrong(string.Create(CultureInfo.InvariantCulture, $"record {_nextRecord - 1}: {problem}"));

    /// <summary>Reads the next record; false after the last one.</summary>
    public bool ReadNext()
    {
        for (; _file < files.Files.Count; _file++)
        {
            if (ReadNext(files.Files[_file]))
                return true;
            CloseContent();
        }
        _file = files.Files.Count - 1;
        return false;
    }

    /// <summary>Reads one record of plain files.</summary>
    public void ReadAt(long index)
    {
        (_file, _nextRecord) = files.Locate(index);
        var file = files.Files[_file];
        var handle = _handles[_file] ??= File.OpenHandle(file.File.Path, options: FileOptions.RandomAccess);
        var offset = file.HeaderSize + (_nextRecord * file.RecordSize);
        _nextRecord++;
        var done = 0;
        while (done < _record.Length)
        {
            var count = RandomAccess.Read(handle, _record.AsSpan(done), offset + done);
            if (count == 0)
                throw Wrong("the file has become shorter since it was opened");
            done += count;
        }
    }

    public void Dispose()
    {
        CloseContent();
        foreach (var handle in _handles)
            handle?.Dispose();
    }

    private bool ReadNext(RecordFile file)
    {
        if (_nextRecord == file.Count)
        {
            CheckEnd(file);
            return false;
        }
        _content ??= OpenBehindHeader(file);
        if (!file.File.TryReadExactly(_content, _record, $"record {_nextRecord}"))
            return file.Count == null && _nextRecord > 0 ? false : throw file.File.Wrong(FormattableString.Invariant($"it is truncated before record {_nextRecord}"));
        _nextRecord++;
        return true;
    }

    private static Stream OpenBehindHeader(RecordFile file)
    {
        var content = file.File.OpenContent();
        file.File.TryReadExactly(content, new byte[file.HeaderSize], $"the header");
        return content;
    }

    private void CheckEnd(RecordFile file)
    {
        if (_content != null && file.File.TryReadExactly(_content, stackalloc byte[1], $"the data after the last record"))
            throw file.File.Wrong(string.Create(CultureInfo.InvariantCulture, $"it continues after its {file.Count:N0} records of {file.RecordSize:N0} bytes"));
    }

    private void CloseContent()
    {
        _content?.Dispose();
        _content = null;
        _nextRecord = 0;
    }
}
