using System.Globalization;

namespace MLExtensions.Loading;

/// <summary>A file of records of one size behind a header.</summary>
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

    /// <summary>The number of records; null where only reading a gzipped file tells.</summary>
    public long? Count { get; }

    /// <summary>A file that is nothing but records.</summary>
    public static RecordFile WithoutHeader(string path, int recordSize)
    {
        var file = DataFile.Find(path);
        if (file.IsCompressed)
            return new RecordFile(file, 0, recordSize, null);
        var (count, rest) = Math.DivRem(file.Size, recordSize);
        if (count == 0 || rest != 0)
            throw file.Wrong(string.Create(CultureInfo.InvariantCulture, $"it has {file.Size:N0} bytes; records of {recordSize:N0} bytes make a multiple of that"));
        return new RecordFile(file, 0, recordSize, count);
    }
}
