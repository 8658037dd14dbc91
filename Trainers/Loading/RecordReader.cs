using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace MLExtensions.Loading;

/// <summary>Reads records, either one after the other or, from plain files, in any order.</summary>
internal sealed class RecordReader(RecordFiles files) : IDisposable
{
    private readonly byte[] _record = new byte[files.RecordSize];
    private readonly SafeFileHandle?[] _handles = new SafeFileHandle?[files.Files.Count];
    private Stream? _content;
    private int _file;
    private long _nextRecord;

    public ReadOnlySpan<byte> Record => _record;

    /// <summary>The file and the place of the record that was read last, for messages.</summary>
    public FormatException Wrong(string problem) =>
        files.Files[_file].File.Wrong(string.Create(CultureInfo.InvariantCulture, $"record {_nextRecord - 1}: {problem}"));

    /// <summary>Reads the next record; false behind the last.</summary>
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
            return file.Count == null && _nextRecord > 0 ? false : throw file.File.Wrong($"it is cut off before record {_nextRecord}");
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
        if (_content != null && file.File.TryReadExactly(_content, stackalloc byte[1], $"the data behind the last record"))
            throw file.File.Wrong(string.Create(CultureInfo.InvariantCulture, $"it goes on after its {file.Count:N0} records of {file.RecordSize:N0} bytes"));
    }

    private void CloseContent()
    {
        _content?.Dispose();
        _content = null;
        _nextRecord = 0;
    }
}
