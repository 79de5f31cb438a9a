"""`multikeras.ops.nn`: the functions of `multikeras.ops` that neural networks are made of.

Only other names for them: nothing is declared here, and this is no family of ops that a backend
could hold functions for.
"""

from multikeras.ops.activation import celu as celu
from multikeras.ops.activation import elu as elu
from multikeras.ops.activation import gelu as gelu
from multikeras.ops.activation import glu as glu
from multikeras.ops.activation import hard_shrink as hard_shrink
from multikeras.ops.activation import hard_sigmoid as hard_sigmoid
from multikeras.ops.activation import hard_silu as hard_silu
from multikeras.ops.activation import hard_swish as hard_swish
from multikeras.ops.activation import hard_tanh as hard_tanh
from multikeras.ops.activation import leaky_relu as leaky_relu
from multikeras.ops.activation import log_sigmoid as log_sigmoid
from multikeras.ops.activation import relu as relu
from multikeras.ops.activation import relu6 as relu6
from multikeras.ops.activation import selu as selu
from multikeras.ops.activation import sigmoid as sigmoid
from multikeras.ops.activation import silu as silu
from multikeras.ops.activation import soft_shrink as soft_shrink
from multikeras.ops.activation import softplus as softplus
from multikeras.ops.activation import softsign as softsign
from multikeras.ops.activation import sparse_plus as sparse_plus
from multikeras.ops.activation import sparse_sigmoid as sparse_sigmoid
from multikeras.ops.activation import sparsemax as sparsemax
from multikeras.ops.activation import squareplus as squareplus
from multikeras.ops.activation import swish as swish
from multikeras.ops.activation import tanh_shrink as tanh_shrink
from multikeras.ops.activation import threshold as threshold
from multikeras.ops.attention import dot_product_attention as dot_product_attention
from multikeras.ops.complex_numbers import polar as polar
from multikeras.ops.convolution import average_pool as average_pool
from multikeras.ops.convolution import conv as conv
from multikeras.ops.convolution import conv_transpose as conv_transpose
from multikeras.ops.convolution import depthwise_conv as depthwise_conv
from multikeras.ops.convolution import max_pool as max_pool
from multikeras.ops.convolution import separable_conv as separable_conv
from multikeras.ops.ctc import ctc_decode as ctc_decode
from multikeras.ops.ctc import ctc_loss as ctc_loss
from multikeras.ops.image_filters import psnr as psnr
from multikeras.ops.indexing import multi_hot as multi_hot
from multikeras.ops.indexing import one_hot as one_hot
from multikeras.ops.linalg import normalize as normalize
from multikeras.ops.neural import batch_normalization as batch_normalization
from multikeras.ops.neural import binary_crossentropy as binary_crossentropy
from multikeras.ops.neural import categorical_crossentropy as categorical_crossentropy
from multikeras.ops.neural import layer_normalization as layer_normalization
from multikeras.ops.neural import log_softmax as log_softmax
from multikeras.ops.neural import moments as moments
from multikeras.ops.neural import rms_normalization as rms_normalization
from multikeras.ops.neural import softmax as softmax
from multikeras.ops.neural import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from multikeras.ops.patches import adaptive_average_pool as adaptive_average_pool
from multikeras.ops.patches import adaptive_max_pool as adaptive_max_pool
from multikeras.ops.patches import depth_to_space as depth_to_space
from multikeras.ops.patches import fold as fold
from multikeras.ops.patches import space_to_depth as space_to_depth
from multikeras.ops.patches import unfold as unfold
