using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Scoring;

namespace MLExtensions.Codes;

/// <summary>Maps a column of features to those of the columns of a code that are asked for.</summary>
internal sealed class CodeMapper(CodeTransformer transformer, DataViewSchema.Column features) : IRowMapper
{
    private readonly IReadOnlyList<CodeOutput> _outputs = transformer.Outputs;

    public Func<int, bool> GetDependencies(Func<int, bool> activeOutput) =>
        column => column == features.Index && Enumerable.Range(0, _outputs.Count).Any(activeOutput);

    public DataViewSchema.DetachedColumn[] GetOutputColumns() =>
        _outputs.Select(output => new DataViewSchema.DetachedColumn(output.Name, output.Type)).ToArray();

    public Delegate[] CreateGetters(DataViewRow input, Func<int, bool> activeOutput, out Action? disposer)
    {
        disposer = null;
        var getters = new Delegate[_outputs.Count];
        var active = Enumerable.Range(0, _outputs.Count).Where(activeOutput).ToArray();
        if (active.Length == 0)
            return getters;
        var source = ScoreSource.Create(input, input.Schema[features.Index], new CodeScorer(transformer, active));
        disposer = source.Dispose;
        var first = 0;
        foreach (var index in active)
        {
            getters[index] = Getter(source, _outputs[index], first);
            first += _outputs[index].Count;
        }
        return getters;
    }

    public ITransformer GetTransformer() => transformer;

    public void Save(ModelSaveContext ctx) => ((ICanSaveModel)transformer).Save(ctx);

    private static Delegate Getter(ScoreSource source, CodeOutput output, int first)
    {
        if (!output.IsVector)
        {
            ValueGetter<float> scalar = (ref float destination) => destination = source.Current()[first];
            return scalar;
        }
        ValueGetter<VBuffer<float>> vector = (ref VBuffer<float> destination) =>
        {
            var editor = VBufferEditor.Create(ref destination, output.Count);
            source.Current().Slice(first, output.Count).CopyTo(editor.Values);
            destination = editor.Commit();
        };
        return vector;
    }
}
