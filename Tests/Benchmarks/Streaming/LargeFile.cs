using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.Win32.SafeHandles;

namespace MLExtensions.Benchmarks;

/// <summary>A file of rows with a label, in ML.NET's binary format or as text; its numbers cannot be compressed much.</summary>
internal sealed partial class LargeFile(string path, bool isText)
{
    public const int Width = ImageRow.Width;
    public const int BytesPerRow = Width * sizeof(float);
    public const string SmallSuffix = "-small";

    private const int Classes = 10;
    private const int DoNotNeed = 4;
    private const string LabelName = "Label";
    private const string FeatureName = "Features";

    public string Path => path;

    /// <summary>Writes a file; the rows are made as they are written.</summary>
    public static void Write(string path, long rows, bool isText)
    {
        var ml = new MLContext(1);
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, Width);
        var data = ml.Data.LoadFromEnumerable(Rows(rows), schema);
        using var stream = File.Create(path);
        if (isText)
            ml.Data.SaveAsText(data, stream, headerRow: false, schema: false);
        else
            ml.Data.SaveAsBinary(data, stream);
    }

    /// <summary>Opens the file as users do.</summary>
    public IDataView Open(MLContext ml) => isText
        ? ml.Data.LoadFromTextFile(path, [new TextLoader.Column(LabelName, DataKind.UInt32, [new TextLoader.Range(0)], new KeyCount(Classes)), new TextLoader.Column(FeatureName, DataKind.Single, 1, Width)])
        : ml.Data.LoadFromBinary(path);

    /// <summary>Reads all labels and features and keeps nothing.</summary>
    public StreamedRun Read(MLContext ml)
    {
        long rows = 0;
        var seconds = Timing.Seconds(() =>
        {
            var data = Open(ml);
            using var cursor = data.GetRowCursor(data.Schema);
            var (getLabel, getFeatures) = (cursor.GetGetter<uint>(data.Schema[LabelName]), cursor.GetGetter<VBuffer<float>>(data.Schema[FeatureName]));
            var label = 0u;
            var features = default(VBuffer<float>);
            for (; cursor.MoveNext(); rows++)
            {
                getLabel(ref label);
                getFeatures(ref features);
            }
        });
        return new StreamedRun(rows, seconds, seconds);
    }

    /// <summary>Makes the system forget what it has read of a file, so that it must be read again.</summary>
    public static void DropFromCache(string path)
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var handle = File.OpenHandle(path);
        RandomAccess.FlushToDisk(handle);
        _ = Advise(handle, 0, 0, DoNotNeed);
    }

    private static IEnumerable<Row> Rows(long count)
    {
        // Any part of many random numbers: as incompressible, and made fast.
        var random = new Random(1);
        var pool = Enumerable.Range(0, 1 << 20).Select(_ => (random.NextSingle() * 2) - 1).ToArray();
        var row = new Row { Features = new float[Width] };
        for (long i = 0; i < count; i++)
        {
            pool.AsSpan(random.Next(pool.Length - Width), Width).CopyTo(row.Features);
            row.Label = (uint)random.Next(Classes); // keys of a class count from 0
            for (var slot = (int)row.Label; slot < Width; slot += Classes)
                row.Features[slot] += 0.1f;
            yield return row;
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise64")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);

    private sealed class Row
    {
        [KeyType(Classes)]
        public uint Label { get; set; }

        public float[] Features { get; set; } = [];
    }
}
