using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Style;

/// <summary>Adds a column with the values of two others, one after the other, so that rows are read in one pass.</summary>
/// <param name="first">The name of the first column, and the format of its rows.</param>
/// <param name="second">The name of the second column, and the format of its rows.</param>
internal sealed class PairColumn((string Name, FeatureFormat Format) first, (string Name, FeatureFormat Format) second)
{
    /// <summary>The name of the added column.</summary>
    public const string Name = "content and style";

    public IDataView AddTo(IHost host, IDataView data) =>
        new InOrder(new RowToRowMapperTransform(host, data, new Mapper(first, second, data.Schema), schema => new Mapper(first, second, schema)));

    /// <summary>Rows are read by the calling thread, which gets the exceptions as they are.</summary>
    private sealed class InOrder(IDataView rows) : IDataView
    {
        public DataViewSchema Schema => rows.Schema;

        public bool CanShuffle => false;

        public long? GetRowCount() => rows.GetRowCount();

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => rows.GetRowCursorSet(columnsNeeded, 1)[0];

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded, rand)];
    }

    private sealed class Mapper((string Name, FeatureFormat Format) first, (string Name, FeatureFormat Format) second, DataViewSchema schema) : IRowMapper
    {
        private readonly int _width = checked(first.Format.Width + second.Format.Width);

        public Func<int, bool> GetDependencies(Func<int, bool> activeOutput) =>
            column => activeOutput(0) && (column == schema[first.Name].Index || column == schema[second.Name].Index);

        public DataViewSchema.DetachedColumn[] GetOutputColumns() => [new(Name, new VectorDataViewType(NumberDataViewType.Single, _width))];

        public Delegate[] CreateGetters(DataViewRow input, Func<int, bool> activeOutput, out Action? disposer)
        {
            disposer = null;
            if (!activeOutput(0))
                return new Delegate[1];
            var (one, other) = (first.Format.Open(input, input.Schema[first.Name]), second.Format.Open(input, input.Schema[second.Name]));
            ValueGetter<VBuffer<float>> getter = (ref VBuffer<float> destination) =>
            {
                var editor = VBufferEditor.Create(ref destination, _width);
                one.Read(editor.Values[..first.Format.Width]);
                other.Read(editor.Values[first.Format.Width..]);
                destination = editor.Commit();
            };
            return [getter];
        }

        public ITransformer GetTransformer() => throw new NotSupportedException("The column is made for a training only.");

        public void Save(ModelSaveContext ctx) => throw new NotSupportedException("The column is made for a training only.");
    }
}
