using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using MLExtensions;
using MLExtensions.Families.Images;
using MLExtensions.Families.Style;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Persistence;
using MLExtensions.Tensors;

[assembly: LoadableClass(typeof(CropByBoxTransformer), typeof(CropByBoxTransformer), null, typeof(SignatureLoadModel), "", CropByBoxTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>What the numbers of a box are.</summary>
public enum BoxUnit
{
    /// <summary>Pixels.</summary>
    Pixels,

    /// <summary>Fractions of the width and the height of the image, from 0 to 1.</summary>
    Fractions,
}

/// <summary>What becomes of the part of a box that lies outside of the image.</summary>
public enum BoxBorder
{
    /// <summary>It is cut off.</summary>
    Clip,

    /// <summary>It is black, so that the box keeps its shape.</summary>
    Fill,
}

/// <summary>Adds the part of an image that a box says.</summary>
/// <remarks>No libtorch is needed. One transformer can be used by several threads.</remarks>
public sealed class CropByBoxTransformer : ManagedTransformer
{
    internal const string LoaderSignature = "MLExtCropByBox";
    private const string ModelSignature = "MLEXTCRB";
    private const string Entry = "crop.json";

    private readonly BoxSettings _settings;

    internal CropByBoxTransformer(IHostEnvironment env, BoxSettings settings)
        : base(env, ModelSignature, LoaderSignature) => _settings = settings;

    /// <summary>The column that is added.</summary>
    public string OutputColumnName => _settings.OutputColumnName;

    /// <summary>The column of the images.</summary>
    public string InputColumnName => _settings.InputColumnName;

    /// <summary>The column of the boxes.</summary>
    public string BoxColumnName => _settings.BoxColumnName;

    private protected override IRowMapper CreateMapper(DataViewSchema schema) => new Mapper(this, schema);

    private protected override void SaveContent(ModelSaveContext ctx) => OptionsEntry.Save(ctx, Entry, _settings);

    internal static CropByBoxTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(ModelVersion.Of(ModelSignature, LoaderSignature));
        return new CropByBoxTransformer(env, OptionsEntry.Load<BoxSettings>(ctx, Entry, "how images are cropped", settings => settings.Check()));
    }

    private sealed class Mapper : RowMapper
    {
        private readonly CropByBoxTransformer _transformer;
        private readonly DataViewSchema.Column _image;
        private readonly DataViewSchema.Column _box;

        public Mapper(CropByBoxTransformer transformer, DataViewSchema schema)
            : base(transformer)
        {
            _transformer = transformer;
            BoxSettings.CheckColumns(SchemaShape.Create(schema), transformer.InputColumnName, transformer.BoxColumnName);
            (_image, _box) = (schema[transformer.InputColumnName], schema[transformer.BoxColumnName]);
            if (_box.Type is VectorDataViewType { Size: not BoxSettings.Values } vector)
                throw new ArgumentException(FormattableString.Invariant($"Box column '{_box.Name}' has {vector.Size} values; it must have {BoxSettings.Values}: left, top, width, height."), nameof(schema));
        }

        public override Func<int, bool> GetDependencies(Func<int, bool> activeOutput) => column => activeOutput(0) && (column == _image.Index || column == _box.Index);

        public override DataViewSchema.DetachedColumn[] GetOutputColumns() => [new(_transformer.OutputColumnName, _transformer._settings.CreateOutputType())];

        public override Delegate?[] CreateGetters(DataViewRow row, Func<int, bool> activeOutput, out Action? disposer)
        {
            disposer = null;
            if (!activeOutput(0))
                return [null];
            var images = new PictureReader(row, row.Schema[_image.Index]);
            var getBox = row.GetGetter<VBuffer<float>>(row.Schema[_box.Index]);
            var (box, values) = (default(VBuffer<float>), new float[BoxSettings.Values]);
            return [FinishedPicture.Getter(new OncePerRow<FinishedPicture>(row, () =>
            {
                getBox(ref box);
                box.CopyTo(values);
                var image = images.ReadImage();
                var problem = ImageCrop.Place(_transformer._settings, values, image.Width, image.Height, out var place);
                return problem == null
                    ? ImageCrop.Cut(image, place, _transformer._settings.OutputHeight, _transformer._settings.OutputWidth)
                    : throw new FormatException($"Box column '{_box.Name}', {RowName.Of(row.Position)}: the box {NumberList.Of(values)} (left, top, width, height in {(_transformer._settings.Unit == BoxUnit.Pixels ? "pixels" : "fractions")}) {problem}");
            }))];
        }
    }
}
