using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Images;
using MLExtensions.Messages;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Cuts boxes out of images, such as the faces that a detector has found. Nothing is learned.</summary>
public sealed class CropByBoxEstimator : ManagedEstimator<CropByBoxTransformer>
{
    private readonly BoxSettings _settings;

    internal CropByBoxEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(CropByBoxEstimator))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _settings = new BoxSettings(options.OutputColumnName, options.InputColumnName, options.BoxColumnName, options.Unit, options.Margin, options.Border, options.OutputHeight, options.OutputWidth);
    }

    /// <summary>The options of <see cref="CropByBoxEstimator"/>.</summary>
    public sealed class Options
    {
        private const int LargestMargin = 10;

        /// <summary>The column to add, <c>MLImage</c>. Default <c>Crop</c>.</summary>
        public string OutputColumnName { get; set; } = "Crop";

        /// <summary>The column of the images, <c>MLImage</c> of any size. Default <c>Image</c>.</summary>
        public string InputColumnName { get; set; } = "Image";

        /// <summary>The column of the boxes, a <c>Vector&lt;Single&gt;</c> of 4: left, top, width, height. Default <c>Box</c>.</summary>
        public string BoxColumnName { get; set; } = "Box";

        /// <summary>What the numbers of a box are. Default <see cref="BoxUnit.Pixels"/>.</summary>
        public BoxUnit Unit { get; set; }

        /// <summary>What is added on each side of a box, as a fraction of its width and height, from 0 to 10. Default 0.</summary>
        public double Margin { get; set; }

        /// <summary>What becomes of the part of a box that lies outside of the image. Default <see cref="BoxBorder.Clip"/>.</summary>
        public BoxBorder Border { get; set; }

        /// <summary>The height in pixels that all results are resized to, from 1 to 16,384. Default null: that of each box.</summary>
        public int? OutputHeight { get; set; }

        /// <summary>The width in pixels that all results are resized to, from 1 to 16,384. Default null: that of each box.</summary>
        public int? OutputWidth { get; set; }

        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        internal void Check()
        {
            OptionCheck.NotEmpty(OutputColumnName, nameof(OutputColumnName));
            OptionCheck.NotEmpty(InputColumnName, nameof(InputColumnName));
            OptionCheck.NotEmpty(BoxColumnName, nameof(BoxColumnName));
            ColumnNames.RequireOther(BoxColumnName, nameof(BoxColumnName), (InputColumnName, nameof(InputColumnName)));
            OptionCheck.Defined(Unit, nameof(Unit));
            OptionCheck.Defined(Border, nameof(Border));
            OptionCheck.Between(Margin, 0, LargestMargin, nameof(Margin));
            if (OutputHeight is { } height)
                OptionCheck.Count(height, BoxSettings.LargestSide, nameof(OutputHeight));
            if (OutputWidth is { } width)
                OptionCheck.Count(width, BoxSettings.LargestSide, nameof(OutputWidth));
            if ((OutputHeight == null) != (OutputWidth == null))
                throw new ArgumentException($"{nameof(OutputHeight)} and {nameof(OutputWidth)} go together: give both or none.", OutputHeight == null ? nameof(OutputHeight) : nameof(OutputWidth));
        }
    }

    private protected override void CheckSchema(SchemaShape schema) => BoxSettings.CheckColumns(schema, _settings.InputColumnName, _settings.BoxColumnName);

    private protected override IEnumerable<SchemaShape.Column> AddedColumns(SchemaShape input) => [Added(_settings.OutputColumnName, _settings.CreateOutputType())];

    private protected override CropByBoxTransformer FitChecked(IDataView input)
    {
        var transformer = new CropByBoxTransformer(Host, _settings);
        transformer.GetOutputSchema(input.Schema); // a shape does not say how many values a box has
        return transformer;
    }
}
