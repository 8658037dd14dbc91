using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Scoring;

namespace MLExtensions.Features;

/// <summary>Maps a column of images to the column of their features.</summary>
internal sealed class ImageFeaturesMapper(ImageFeaturesTransformer transformer, DataViewSchema.Column images) : IRowMapper
{
    public Func<int, bool> GetDependencies(Func<int, bool> activeOutput) => column => column == images.Index && activeOutput(0);

    public DataViewSchema.DetachedColumn[] GetOutputColumns() =>
        [new DataViewSchema.DetachedColumn(transformer.OutputColumnName, transformer.OutputType)];

    public Delegate[] CreateGetters(DataViewRow input, Func<int, bool> activeOutput, out Action? disposer)
    {
        disposer = null;
        if (!activeOutput(0))
            return [null!];
        var features = ScoreSource.Create(input, input.Schema[images.Index], transformer.Model);
        disposer = features.Dispose;
        return [transformer.Model.Head.CreateGetter(0, features)];
    }

    public ITransformer GetTransformer() => transformer;

    public void Save(ModelSaveContext ctx) => ((ICanSaveModel)transformer).Save(ctx);
}
