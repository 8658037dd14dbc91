using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Gan;

/// <summary>A row with a hole: the values of the image, then 1 for each missing pixel and 0 for known ones, then the label vector if there is one.</summary>
/// <param name="Architecture">The generator.</param>
/// <param name="Settings">The columns.</param>
/// <param name="MadeMask">The mask of all rows, if there is no column.</param>
internal sealed record InpaintingFormat(GeneratorArchitecture Architecture, InpaintingSettings Settings, InpaintingMask? MadeMask) : FeatureFormat
{
    public override int Width => checked(Values + Pixels + (Label == null ? 0 : Architecture.ClassCount));

    public override DataViewType InputType => new VectorDataViewType(NumberDataViewType.Single, Width);

    public ImageShape Image => Architecture.Image!;

    public int Pixels => Image.Height * Image.Width;

    /// <summary>The number of values of an image, with all channels.</summary>
    public int Values => Architecture.OutputCount;

    private string ImageColumn => Settings.Options.ImageColumnName;

    private string? MaskColumn => Settings.Options.MaskColumnName;

    private string? Label => Settings.Options.LabelColumnName;

    /// <summary>Reads the label as a generator does.</summary>
    private LatentFormat Labels => new(Architecture, new LatentColumns(null, null, Label), 0, Settings.ClassNames);

    public override bool HoldsColumn(DataViewSchema.Column column) => false;

    public override IFeatureReader Open(DataViewRow row, DataViewSchema.Column column) => new Reader(this, row);

    /// <exception cref="ArgumentException">A column is missing, or of another type or size.</exception>
    public void Check(DataViewSchema schema)
    {
        CheckImages(FeatureRows.Find(schema, ImageColumn));
        if (MaskColumn is { } name)
            CheckMasks(FeatureRows.Find(schema, name));
        if (Label != null)
            Labels.Check(schema);
    }

    public override void Check(DataViewSchema.Column column)
    {
    }

    public override void Arrange(in VBuffer<float> features, Span<float> row) => throw new NotSupportedException("Inpainting reads several columns.");

    private void CheckImages(DataViewSchema.Column column)
    {
        var isImage = column.Type is ImageDataViewType;
        if (isImage != Settings.IsImage)
            throw new ArgumentException(FormattableString.Invariant($"Image column '{column.Name}' has type {column.Type}; when the transformer was made it was {(Settings.IsImage ? "an image" : "a vector")}."), "schema");
        if (isImage && (Image.Channels is not (1 or 3) || Architecture.Values != ValueRange.Pixels))
            throw new ArgumentException(FormattableString.Invariant($"Image column '{column.Name}' has images, but the GAN generates values of {Image.Channels} channels in {Architecture.Values?.ToString() ?? "no range"}; images have 1 or 3 channels in {ValueRange.Pixels}. Use a column of pixels as in the training."), "schema");
        if (!FeatureReader.Fits(column, Values) || !Image.HasSidesOf(column.Type))
            throw new ArgumentException(FormattableString.Invariant($"Image column '{column.Name}' has {FeatureReader.WidthOf(column)} values ({column.Type}); the GAN generates images of {Image}, {Values} values."), "schema");
    }

    private void CheckMasks(DataViewSchema.Column column)
    {
        if (column.Type is not VectorDataViewType vector || (vector.ItemType != NumberDataViewType.Single && vector.ItemType != BooleanDataViewType.Instance))
            throw new ArgumentException(FormattableString.Invariant($"Mask column '{column.Name}' has type {column.Type}; it must be a Vector<Single> or Vector<Boolean> with a value per pixel."), "schema");
        // The size of the values is looked at in each row if the column does not tell it.
        if (vector.Size != 0 && (vector.Size != Pixels || !Image.HasSidesOf(vector)))
            throw new ArgumentException(FormattableString.Invariant($"Mask column '{column.Name}' has {vector.Size} values ({vector}); it must have {Pixels}, one for each of the {Image.Height} x {Image.Width} pixels."), "schema");
    }

    private sealed class Reader : IFeatureReader
    {
        private readonly InpaintingFormat _format;
        private readonly DataViewRow _row;
        private readonly FeatureReader _image;
        private readonly ValueGetter<VBuffer<float>>? _numbers;
        private readonly ValueGetter<VBuffer<bool>>? _flags;
        private readonly IFeatureReader? _label;
        private readonly float[] _latent;
        private VBuffer<float> _numberBuffer;
        private VBuffer<bool> _flagBuffer;

        public Reader(InpaintingFormat format, DataViewRow row)
        {
            (_format, _row) = (format, row);
            _image = new FeatureReader(row, row.Schema[format.ImageColumn], format.Values);
            if (format.MaskColumn is { } name && row.Schema[name] is var mask)
            {
                if (((VectorDataViewType)mask.Type).ItemType == NumberDataViewType.Single)
                    _numbers = row.GetGetter<VBuffer<float>>(mask);
                else
                    _flags = row.GetGetter<VBuffer<bool>>(mask);
            }
            if (format.Label != null)
                _label = format.Labels.Open(row, row.Schema[format.Label]);
            _latent = new float[format.Architecture.InputCount];
        }

        public void Read(Span<float> destination)
        {
            var image = destination[.._format.Values];
            var missing = destination.Slice(image.Length, _format.Pixels);
            _image.Read(image);
            ReadMask(missing);
            CheckKnown(image, missing);
            if (_label == null)
                return;
            _label.Read(_latent);
            _latent.AsSpan(_format.Architecture.LatentSize).CopyTo(destination[(image.Length + missing.Length)..]);
        }

        private void ReadMask(Span<float> missing)
        {
            if (_format.MadeMask is { } made)
            {
                for (var i = 0; i < missing.Length; i++)
                    missing[i] = made.IsMissing[i] ? 1 : 0;
                return;
            }
            if (_numbers != null)
            {
                _numbers(ref _numberBuffer);
                CheckLength(_numberBuffer.Length);
                _numberBuffer.CopyTo(missing);
            }
            else
            {
                _flags!(ref _flagBuffer);
                CheckLength(_flagBuffer.Length);
                var flags = _flagBuffer.DenseValues().ToArray();
                for (var i = 0; i < missing.Length; i++)
                    missing[i] = flags[i] ? 1 : 0;
            }
            var bad = missing.IndexOfAnyExcept(0f, 1f);
            if (bad >= 0)
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Mask column '{_format.MaskColumn}', {RowName.Of(_row.Position)}, slot {bad} (row {bad / _format.Image.Width}, column {bad % _format.Image.Width} of the image): the value is {missing[bad]}; it must be 1 for a missing pixel or 0 for a known one."));
            if (!missing.Contains(0f))
                throw new FormatException(FormattableString.Invariant($"Mask column '{_format.MaskColumn}', {RowName.Of(_row.Position)}: all pixels are missing, so there is nothing to go by; 1 is for missing pixels, 0 for known ones."));
        }

        private void CheckLength(int length)
        {
            if (length != _format.Pixels)
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Mask column '{_format.MaskColumn}', {RowName.Of(_row.Position)}: the mask has {length} values; it must have {_format.Pixels}, one for each of the {_format.Image.Height} x {_format.Image.Width} pixels."));
        }

        private void CheckKnown(ReadOnlySpan<float> image, ReadOnlySpan<float> missing)
        {
            if (_format.Architecture.Values is not { } range)
                return;
            var (least, greatest) = ((float)range.Minimum, (float)range.Maximum); // as pixels are
            for (var i = 0; i < image.Length; i++)
            {
                if (missing[i % missing.Length] == 0 && !(image[i] >= least && image[i] <= greatest))
                    throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Image column '{_format.ImageColumn}', {RowName.Of(_row.Position)}, slot {i}: the value is {image[i]}; the GAN was trained on images in {range}. Scale the images as in its training."));
            }
        }
    }
}
